import { Link } from '@tanstack/react-router';
import type { OverviewRow } from '../../../src/api/contract/overview.ts';
import { formatLatency, formatShare } from '../../../src/lib/format.ts';
import { useOverview } from '../api/overview.ts';
import { formatAvailability } from '../overview/levels.ts';
import { serviceHref } from '../service/href.ts';
import table from '../service/table.module.css';
import { Command, Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { type RowProps, VirtualBody } from '../ui/VirtualBody.tsx';
import styles from './Objectives.module.css';

const EXAMPLE = `services:
  api:
    objectives:
      errorRate: { warning: 1%, critical: 5% }
      p95: { warning: 300ms, critical: 1s }
      memory: { warning: 80%, critical: 95% }
      availability: 99.9%
environments:
  staging:
    objectives: { p95: false }`;

/** From where on something is shown as a warning or as critical, of every service, and where that is written. */
export function Objectives() {
  useTitle('Objectives');
  const { data, error, refetch } = useOverview();
  return (
    <div className="stack">
      <div>
        <p className="muted">
          <Link to="/">Overview</Link>
        </p>
        <h1>Objectives</h1>
        <p className="muted">From where on a service is shown as a warning, and from where on as critical.</p>
      </div>
      <section className="panel" aria-label="How to change them">
        <header>
          <h2>How to change them</h2>
        </header>
        <div className={styles['how']}>
          <div>
            <p>
              They are written in <Command>evenkeel.yaml</Command>, for a service or for all of an environment, and hold
              from the next <Command>evenkeel deploy</Command> on. They are part of no release: a change begins no
              rollout. <Command>false</Command> turns one off.
            </p>
            <p className="muted">
              evenkeel shows what is beyond them on its overview. It sends nothing to anybody yet.
            </p>
          </div>
          <pre className={styles['example']} tabIndex={0} aria-label="Example of objectives in evenkeel.yaml">
            {EXAMPLE}
          </pre>
        </div>
      </section>
      {data === undefined ? (
        error === null ? (
          <PageSkeleton />
        ) : (
          <Problem error={error} retry={() => void refetch()} />
        )
      ) : data.services.length === 0 ? (
        <div className="panel">
          <Empty title="There is no service yet">
            <Command>evenkeel up</Command> starts those of your <Command>evenkeel.yaml</Command>.
          </Empty>
        </div>
      ) : (
        <Table services={data.services} />
      )}
    </div>
  );
}

function Table({ services }: { services: readonly OverviewRow[] }) {
  return (
    <section className="panel" aria-label="Objectives of services">
      <div className={table['scroll']} tabIndex={0} role="region" aria-label="Table of objectives">
        <table className={table['table']} aria-rowcount={services.length + 1}>
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col">Service</th>
              <th scope="col">Where</th>
              <th scope="col">Error rate</th>
              <th scope="col">p95</th>
              <th scope="col">Memory, of its limit</th>
              <th scope="col">Available in a day</th>
            </tr>
          </thead>
          <VirtualBody count={services.length} columns={6} rowHeight={36} keyOf={(index) => String(index)}>
            {(index, props) => {
              const row = services[index];
              return row === undefined ? null : <Row key={index} row={row} props={props} />;
            }}
          </VirtualBody>
        </table>
      </div>
    </section>
  );
}

function Row({ row, props }: { row: OverviewRow; props: RowProps }) {
  const { errorRate, p95Ms, memory, availability } = row.objectives;
  return (
    <tr {...props}>
      <th scope="row">
        <Link to={serviceHref(row)}>{row.service}</Link>
      </th>
      <td className="muted">
        {row.project} / {row.environment}
      </td>
      <td>{pair(errorRate, formatShare)}</td>
      <td>{pair(p95Ms, formatLatency)}</td>
      <td>{pair(memory, formatShare)}</td>
      <td>{availability === null ? <NotJudged /> : `at least ${formatAvailability(availability)}`}</td>
    </tr>
  );
}

const pair = (levels: OverviewRow['objectives']['p95Ms'], format: (value: number) => string) =>
  levels === null ? <NotJudged /> : `${format(levels.warning)}, critical ${format(levels.critical)}`;

const NotJudged = () => <span className="muted">not judged</span>;
