import { Link } from '@tanstack/react-router';
import type { ActView } from '../../../src/api/contract/audit.ts';
import { type Level, State } from '../ui/State.tsx';
import table from '../service/table.module.css';
import { dateAndTime, fullTime } from '../ui/times.ts';
import { VirtualBody } from '../ui/VirtualBody.tsx';
import type { AuditSearch } from './search.ts';
import { operationInWords, placeInWords } from './words.ts';
import styles from './Audit.module.css';

const LEVELS: Readonly<Record<ActView['result'], Level>> = {
  done: 'healthy',
  refused: 'stopped',
  failed: 'critical',
  unknown: 'unknown',
};

export const Result = ({ act: { result, code } }: { act: ActView }) => (
  <State level={LEVELS[result]}>{code === null ? result : `${result}: ${code}`}</State>
);

/** As many as there are: only those in sight are drawn. */
export function ActTable({ acts, search }: { acts: readonly ActView[]; search: AuditSearch }) {
  return (
    <div className={table['scroll']} tabIndex={0} role="region" aria-label="Table of acts">
      <table className={table['table']} aria-rowcount={acts.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col" className={table['wide']}>
              On
            </th>
            <th scope="col">Result</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <VirtualBody
          count={acts.length}
          columns={6}
          rowHeight={34}
          keyOf={(index) => String(acts[index]?.seq ?? index)}
        >
          {(index, props) => {
            const act = acts[index];
            if (act === undefined) return null;
            return (
              <tr key={act.seq} {...props} className={styles['row']}>
                <td title={fullTime(act.at)} className="figure">
                  {dateAndTime(act.at)}
                </td>
                <td className={styles['who']}>{act.who}</td>
                <th scope="row">
                  <Link to="/audit" search={{ ...search, act: act.seq }} className="link" resetScroll={false}>
                    {operationInWords(act.operation)}
                  </Link>
                </th>
                <td className={`${table['wide']} ${styles['on']}`}>{placeInWords(act)}</td>
                <td>
                  <Result act={act} />
                </td>
                <td className="muted">{act.source === 'socket' ? 'this machine' : act.source}</td>
              </tr>
            );
          }}
        </VirtualBody>
      </table>
    </div>
  );
}
