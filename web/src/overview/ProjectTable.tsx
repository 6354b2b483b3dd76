import { Link } from '@tanstack/react-router';
import type { Overview, OverviewRow } from '../../../src/api/contract/overview.ts';
import { serviceHref } from '../service/href.ts';
import { type Level, Mark, State } from '../ui/State.tsx';
import { ago, fullTime } from '../ui/times.ts';
import { byCare } from './by-care.ts';
import { formatAvailability, HEALTH_LEVEL } from './levels.ts';
import styles from './ProjectTable.module.css';

const ROLES: readonly [OverviewRow['role'], string][] = [
  ['backend', 'Backend'],
  ['web', 'Web'],
  ['landing', 'Landing'],
  ['worker', 'Worker'],
];

/** A project with its environments: what of each kind serves there, how it is, and what came last. */
export function ProjectTable({ project, overview, now }: { project: string; overview: Overview; now: number }) {
  const rows = overview.services.filter((each) => each.project === project);
  const environments = [...new Set(rows.map(({ environment }) => environment))].toSorted(byCare);
  return (
    <section className="panel" aria-label={`Project ${project}`}>
      <header>
        <h2>{project}</h2>
        {environments.length > 1 && (
          <Link className={`link ${styles['compare']}`} to="/projects/$project/environments" params={{ project }}>
            Compare environments
          </Link>
        )}
      </header>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">Environment</th>
            {ROLES.map(([role, name]) => (
              <th key={role} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">Health</th>
            <th scope="col" className="num">
              Available in 24 h
            </th>
            <th scope="col">Last deploy</th>
          </tr>
        </thead>
        <tbody>
          {environments.map((environment) => (
            <Row
              key={environment}
              environment={environment}
              services={rows.filter((each) => each.environment === environment)}
              complete={overview.day.complete}
              now={now}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowOf {
  environment: string;
  services: readonly OverviewRow[];
  complete: boolean;
  now: number;
}

function Row({ environment, services, complete, now }: RowOf) {
  const meant = services.filter(({ health }) => health !== 'stopped');
  const healthy = meant.filter(({ health }) => health === 'healthy').length;
  const share = availabilityOf(services);
  const last = services
    .flatMap((each) =>
      each.lastDeploy === null ? [] : [{ ...each.lastDeploy, release: each.release, label: each.label }],
    )
    .toSorted((a, b) => b.at - a.at)[0];
  return (
    <tr>
      <th scope="row" className={styles['environment']}>
        {environment}
      </th>
      {ROLES.map(([role, name]) => {
        const mine = services.filter((each) => each.role === role);
        return (
          <td key={role} data-name={name} className={mine.length === 0 ? styles['none'] : undefined}>
            {mine.length === 0 ? <span className="muted">–</span> : <Services services={mine} />}
          </td>
        );
      })}
      <td data-name="Health">
        {meant.length === 0 ? (
          <State level="stopped">brought down</State>
        ) : (
          <State level={worst(meant)}>{`${healthy} of ${meant.length} healthy`}</State>
        )}
      </td>
      <td className={`num ${styles['available']}`} data-name="Available in 24 h">
        {share === null ? (
          <span
            className="muted"
            title={complete ? 'There were no requests in 24 hours' : 'The day is still being read'}
          >
            {complete ? '–' : '…'}
          </span>
        ) : (
          formatAvailability(share)
        )}
      </td>
      <td data-name="Last deploy">
        {last === undefined ? (
          <span className="muted">–</span>
        ) : (
          <Link
            to="/rollouts/$rollout"
            params={{ rollout: last.rollout }}
            title={fullTime(last.at)}
            className={styles['last']}
          >
            <span>{ago(last.at, now)}</span>
            <span className="muted">
              {last.kind === 'rollback' ? 'rollback to ' : ''}
              {last.label ?? last.release} by {last.by}
            </span>
          </Link>
        )}
      </td>
    </tr>
  );
}

/** In one cell; all of them are in the table of services. */
const MOST = 8;

function Services({ services }: { services: readonly OverviewRow[] }) {
  // Where there are more than one reads, those that want to be looked at come first.
  const shown = services.length <= MOST ? services : services.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST);
  const left = services.length - shown.length;
  return (
    <ul className={styles['services']}>
      {shown.map((each) => (
        <li key={each.service}>
          <Mark level={levelOf(each)} />
          <span className="hidden">{levelOf(each)}: </span>
          <Link to={serviceHref(each)} title={each.detail}>
            {each.service}
          </Link>
          <span className={styles['release']}>{each.release === null ? 'none yet' : numberOf(each)}</span>
        </li>
      ))}
      {left > 0 && (
        <li className="muted">
          and {left} more, {services.filter((each) => levelOf(each) === 'healthy').length} of all healthy
        </li>
      )}
    </ul>
  );
}

/** `@42` beside the name that it is of. */
const numberOf = ({ release, service }: OverviewRow): string =>
  release?.startsWith(`${service}@`) === true ? release.slice(service.length) : (release ?? '');

const rank = (row: OverviewRow): number => LEVELS.indexOf(levelOf(row));
const LEVELS: readonly Level[] = ['critical', 'warning', 'unknown', 'healthy', 'stopped'];

const levelOf = ({ health, state }: OverviewRow): Level => (health === 'stopped' ? 'stopped' : state);

/** As it is now: what warns beside it has its own line. */
function worst(services: readonly OverviewRow[]): Level {
  const levels = services.map(({ health }) => HEALTH_LEVEL[health]);
  return (['critical', 'warning', 'unknown'] as const).find((level) => levels.includes(level)) ?? 'healthy';
}

/** Of all requests of its services together; null: there were none, or they are not all known yet. */
function availabilityOf(services: readonly OverviewRow[]): number | null {
  const asked = services.map(({ availability }) => availability).filter(({ requests }) => requests > 0);
  if (asked.length === 0 || asked.some(({ share }) => share === null)) return null;
  const all = asked.reduce((sum, { requests }) => sum + requests, 0);
  return asked.reduce((sum, { share, requests }) => sum + (share ?? 0) * requests, 0) / all;
}
