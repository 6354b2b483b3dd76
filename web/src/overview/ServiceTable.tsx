import { Link } from '@tanstack/react-router';
import type { Overview, OverviewRow } from '../../../src/api/contract/overview.ts';
import { formatLatency, formatRate, formatShare } from '../../../src/lib/format.ts';
import { serviceHref } from '../service/href.ts';
import { Spark } from '../ui/Spark.tsx';
import { type Level, State } from '../ui/State.tsx';
import { type RowProps, VirtualBody } from '../ui/VirtualBody.tsx';
import { formatAvailability, HEALTH_LEVEL } from './levels.ts';
import styles from './ServiceTable.module.css';

const ROW = 54;
const COLUMNS = 8;

/** Every service with its numbers: those of the last five minutes, and of a day. */
export function ServiceTable({ overview }: { overview: Overview }) {
  const services = overview.services.toSorted(byPlace);
  return (
    <section className="panel" aria-label="Services">
      <header>
        <h2>Services</h2>
        <span className="muted">requests, errors and p95 over the last five minutes</span>
      </header>
      <table className={styles['table']} aria-rowcount={services.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Service</th>
            <th scope="col">Health</th>
            <th scope="col">Release</th>
            <th scope="col" className="num">
              Requests
            </th>
            <th scope="col" className="num">
              Errors
            </th>
            <th scope="col" className="num">
              p95
            </th>
            <th scope="col">p95 in 24 h</th>
            <th scope="col" className="num">
              Available
            </th>
          </tr>
        </thead>
        <VirtualBody
          count={services.length}
          columns={COLUMNS}
          rowHeight={ROW}
          keyOf={(index) => keyOf(services[index]) ?? String(index)}
        >
          {(index, props) => {
            const row = services[index];
            return row === undefined ? null : <Row key={keyOf(row)} row={row} props={props} />;
          }}
        </VirtualBody>
      </table>
    </section>
  );
}

function Row({ row, props }: { row: OverviewRow; props: RowProps }) {
  const { project, environment, service, role, health, detail, release, label, recent, aspects, objectives } = row;
  const { share } = row.availability;
  return (
    <tr {...props}>
      <th scope="row" className={styles['service']}>
        <Link to={serviceHref(row)}>{service}</Link>
        <span className={styles['place']}>
          {project} / {environment}, {role}
        </span>
      </th>
      <td className={styles['health']}>
        <State level={HEALTH_LEVEL[health]}>{health}</State>
        <span className={styles['detail']}>{detail}</span>
      </td>
      <td className={styles['release']}>
        {release === null ? <span className="muted">none yet</span> : <span className="mono">{release}</span>}
        {label !== null && <span className={styles['label']}>{label}</span>}
      </td>
      <Figure name="Requests" value={recent.requestsPerSecond} format={formatRate} level={null} />
      <Figure name="Errors" value={recent.errorRate} format={formatShare} level={aspects.errors} />
      <Figure name="p95" value={recent.p95Ms} format={formatLatency} level={aspects.latency} />
      <td className={styles['spark']} data-name="p95 in 24 h">
        {row.p95.points.some((each) => each !== null) ? (
          <Spark
            points={row.p95.points}
            target={objectives.p95Ms?.warning ?? null}
            label={`p95 of ${service} over 24 hours${objectives.p95Ms === null ? '' : `, objective ${formatLatency(objectives.p95Ms.warning)}`}`}
          />
        ) : (
          <span className="muted">–</span>
        )}
      </td>
      <Figure name="Available" value={share} format={formatAvailability} level={aspects.availability} />
    </tr>
  );
}

interface FigureOf {
  name: string;
  value: number | null;
  format: (value: number) => string;
  level: Level | null;
}

/** A number; one that is out of bounds says so by a mark beside its colour. */
function Figure({ name, value, format, level }: FigureOf) {
  const loud = level === 'warning' || level === 'critical' ? level : null;
  return (
    <td className={`num ${styles['figure']}`} data-name={name}>
      {loud !== null && (
        <State level={loud} quiet>
          {loud}
        </State>
      )}{' '}
      {value === null ? (
        <span className="muted" title="Nothing was measured">
          –
        </span>
      ) : (
        <span className={loud === null ? undefined : styles[loud]}>{format(value)}</span>
      )}
    </td>
  );
}

const keyOf = (row: OverviewRow | undefined): string | null =>
  row === undefined ? null : JSON.stringify([row.project, row.environment, row.service]);

const byPlace = (a: OverviewRow, b: OverviewRow): number => ((keyOf(a) ?? '') < (keyOf(b) ?? '') ? -1 : 1);
