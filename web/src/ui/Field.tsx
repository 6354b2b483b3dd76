import { type ComponentPropsWithRef, type ReactNode, useId } from 'react';
import styles from './Field.module.css';

interface Props extends ComponentPropsWithRef<'input'> {
  label: string;
  /** What it has to be like, below it. */
  hint?: ReactNode;
}

/** A labelled line of text. */
export function Field({ label, hint, className, ...input }: Props) {
  const id = useId();
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={`${styles['input']} ${className ?? ''}`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...input}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles['hint']}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps extends ComponentPropsWithRef<'select'> {
  label: string;
  hint?: ReactNode;
}

/** One of a few; its options are its children. */
export function Choice({ label, hint, className, ...select }: ChoiceProps) {
  const id = useId();
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className={`${styles['input']} ${className ?? ''}`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...select}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles['hint']}>
          {hint}
        </p>
      )}
    </div>
  );
}
