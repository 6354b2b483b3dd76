import { Link, useParams } from '@tanstack/react-router';
import type { OverviewRow, UnderWay } from '../../../src/api/contract/overview.ts';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import type { ServiceStatus } from '../../../src/api/contract/status.ts';
import { formatLatency, formatRate, formatShare } from '../../../src/lib/format.ts';
import { useMay } from '../api/may.ts';
import { useOverview } from '../api/overview.ts';
import { useStatus } from '../api/status.ts';
import { formatAvailability, HEALTH_LEVEL } from '../overview/levels.ts';
import { RolloutLine } from '../overview/RolloutLine.tsx';
import { useNow } from '../ui/clock.ts';
import { Empty } from '../ui/Empty.tsx';
import { later } from '../ui/later.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { type Level, State } from '../ui/State.tsx';
import { useTitle } from '../ui/title.ts';
import { Instances } from './Instances.tsx';
import { Logs } from './Logs.tsx';
import { Releases } from './Releases.tsx';
import styles from './ServicePage.module.css';

// With the charts: what stands above them is drawn first.
const Series = later(() => import('./Series.tsx').then((module) => module.Series), 480);

export interface Named {
  project: string;
  environment: string;
  service: string;
}

/** One service in one environment: how it is, its instances, its releases, what it writes. */
export function ServicePage() {
  const { project = '', environment = '', service = '' } = useParams({ strict: false });
  return <Service key={`${project}/${environment}/${service}`} named={{ project, environment, service }} />;
}

function Service({ named }: { named: Named }) {
  const { project, environment, service } = named;
  useTitle(`${service} in ${environment}`);
  const { data, error, refetch } = useStatus({ project, environment });
  const { data: overview } = useOverview({ project, environment });
  const now = useNow();
  const { may } = useMay();
  if (data === undefined)
    return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
  const place = data.environments.find((each) => each.project === project && each.environment === environment);
  const found = place?.services.find((each) => each.service === service);
  const rollouts = (place?.rollouts ?? []).filter(
    (each) => each.end === null && each.services.some((part) => part.service === service),
  );
  const moving = rollouts.flatMap((each) => each.services.map(({ to }) => to)).join(' ');
  if (found === undefined)
    return (
      <div className="panel">
        <Empty whole title={`There is no ${service} in ${environment} of ${project}`}>
          It may have been taken down. See the{' '}
          <Link to="/" className="link">
            overview
          </Link>
          .
        </Empty>
      </div>
    );
  return (
    <div className="stack">
      <Head named={named} found={found} row={overview?.services.find((each) => each.service === service)} />
      {rollouts.length > 0 && (
        <div className={`panel ${styles['rollouts']}`}>
          {rollouts.map((rollout) => (
            <RolloutLine key={rollout.id} rollout={underWay(rollout)} now={now} />
          ))}
        </div>
      )}
      <Series named={named} hasInstances={found.kind !== 'static'} />
      <Instances service={found} now={now} />
      <Releases named={named} moving={moving} now={now} />
      {may('logs:read', named) && <Logs named={named} />}
    </div>
  );
}

function Head({ named, found, row }: { named: Named; found: ServiceStatus; row: OverviewRow | undefined }) {
  const { health, detail, release, label, urls } = found;
  return (
    <div className={styles['head']}>
      <div>
        <p className="muted">
          <Link to="/">Overview</Link> / {named.project} / {named.environment}
        </p>
        <h1 className={styles['title']}>
          {named.service}
          <span className={styles['state']}>
            <State level={HEALTH_LEVEL[health]}>{health}</State>
          </span>
        </h1>
        <p className="muted">
          {detail}
          {release === null ? '' : `; ${release}${label === null ? '' : ` (${label})`} serves`}
          {urls.map((url) => (
            <span key={url}>
              {' · '}
              <span className="mono">{url}</span>
            </span>
          ))}
        </p>
      </div>
      {row !== undefined && <Figures row={row} />}
    </div>
  );
}

function Figures({ row: { recent, aspects, availability } }: { row: OverviewRow }) {
  return (
    <dl className={styles['figures']}>
      <Figure name="Requests" value={recent.requestsPerSecond} format={formatRate} level={null} />
      <Figure name="Errors" value={recent.errorRate} format={formatShare} level={aspects.errors} />
      <Figure name="p95" value={recent.p95Ms} format={formatLatency} level={aspects.latency} />
      <Figure
        name="Available in 24 h"
        value={availability.share}
        format={formatAvailability}
        level={aspects.availability}
      />
    </dl>
  );
}

interface FigureOf {
  name: string;
  value: number | null;
  format: (value: number) => string;
  level: Level | null;
}

/** Over the last five minutes, if it says nothing else. */
function Figure({ name, value, format, level }: FigureOf) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value === null ? '–' : format(value)}
        {(level === 'warning' || level === 'critical') && (
          <>
            {' '}
            <State level={level} quiet>
              {level}
            </State>
          </>
        )}
      </dd>
    </div>
  );
}

const underWay = ({ canary, services, ...rollout }: RolloutView): UnderWay => ({
  ...rollout,
  weight: canary.weight,
  releases: services.map(({ to }) => to),
});
