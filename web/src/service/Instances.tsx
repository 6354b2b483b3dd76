import type { ServiceStatus } from '../../../src/api/contract/status.ts';
import { formatBytes, formatPercent } from '../../../src/lib/format.ts';
import { Command, Empty } from '../ui/Empty.tsx';
import { type Level, State } from '../ui/State.tsx';
import { ago, fullTime } from '../ui/times.ts';
import { type RowProps, VirtualBody } from '../ui/VirtualBody.tsx';
import styles from './table.module.css';

type Instance = ServiceStatus['instances'][number];

/** What runs of it now. */
export function Instances({ service, now }: { service: ServiceStatus; now: number }) {
  const { instances, kind, schedule } = service;
  if (kind === 'static' || schedule !== undefined) return null;
  return (
    <section className="panel" aria-label="Instances">
      <header>
        <h2>Instances</h2>
        <span className="muted figure">{instances.length}</span>
      </header>
      {instances.length === 0 ? (
        <Empty title="Nothing runs">
          <Command>evenkeel up</Command> starts it.
        </Empty>
      ) : (
        <div className={styles['scroll']} tabIndex={0} role="region" aria-label="Table of instances">
          <table className={styles['table']} aria-rowcount={instances.length + 1}>
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col">Instance</th>
                <th scope="col">State</th>
                <th scope="col" className="num">
                  CPU
                </th>
                <th scope="col" className="num">
                  Memory
                </th>
                <th scope="col" className="num">
                  Restarts
                </th>
                <th scope="col">Started</th>
                <th scope="col" className={styles['wide']}>
                  Last end
                </th>
              </tr>
            </thead>
            <VirtualBody
              count={instances.length}
              columns={7}
              rowHeight={35}
              keyOf={(index) => instances[index]?.id ?? String(index)}
            >
              {(index, props) => {
                const each = instances[index];
                return each === undefined ? null : <Row key={each.id} instance={each} now={now} props={props} />;
              }}
            </VirtualBody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ instance, now, props }: { instance: Instance; now: number; props: RowProps }) {
  const { id, cpu, memory, restarts, startedAt, lastEnd } = instance;
  const [level, word] = stateOf(instance);
  return (
    <tr {...props}>
      <th scope="row" className="mono">
        {id}
      </th>
      <td>
        <State level={level}>{word}</State>
      </td>
      <td className="num">{cpu === null ? '–' : formatPercent(cpu * 100)}</td>
      <td className="num">{memory === null ? '–' : formatBytes(memory)}</td>
      <td className="num">{restarts}</td>
      <td title={fullTime(startedAt)}>{ago(startedAt, now)}</td>
      <td className={`muted ${styles['wide']}`}>{lastEnd}</td>
    </tr>
  );
}

function stateOf({ state, healthy }: Instance): [Level, string] {
  if (state !== 'running') return ['going', state];
  if (healthy === null) return ['unknown', 'running, health unknown'];
  return healthy ? ['healthy', 'healthy'] : ['critical', 'not healthy'];
}
