import type { Permission } from '../api/may.ts';
import { inWords } from './permissions.ts';
import styles from './Settings.module.css';

interface Props {
  legend: string;
  of: readonly Permission[];
  chosen: readonly Permission[];
  /** Absent: to be looked at only. */
  onChange?: (chosen: readonly Permission[]) => void;
}

/** Permissions to be ticked. */
export function Permissions({ legend, of, chosen, onChange }: Props) {
  return (
    <fieldset className={styles['permissions']}>
      <legend>{legend}</legend>
      {of.map((permission) => (
        <label key={permission} className={styles['check']} title={permission}>
          <input
            type="checkbox"
            checked={chosen.includes(permission)}
            disabled={onChange === undefined}
            onChange={(event) =>
              onChange?.(event.target.checked ? [...chosen, permission] : chosen.filter((each) => each !== permission))
            }
          />
          {inWords(permission)}
        </label>
      ))}
    </fieldset>
  );
}
