import { formatBytes, plural } from '../../../lib/format.ts';
import type { Kind, Observed } from '../resource.ts';

/** What people call a kind. */
export const NOUNS: Record<Kind, { one: string; several: string }> = {
  api: { one: 'API', several: 'APIs' },
  connector: { one: 'network connector', several: 'network connectors' },
  account: { one: 'service account', several: 'service accounts' },
  role: { one: 'role', several: 'roles' },
  repository: { one: 'image repository', several: 'image repositories' },
  bucket: { one: 'bucket', several: 'buckets' },
  'sql-instance': { one: 'database server', several: 'database servers' },
  'sql-database': { one: 'database', several: 'databases' },
  'sql-user': { one: 'database user', several: 'database users' },
  secret: { one: 'secret', several: 'secrets' },
  'audit-logs': { one: 'audit log setting', several: 'audit log settings' },
  'log-retention': { one: 'log retention', several: 'log retentions' },
  'uptime-check': { one: 'uptime check', several: 'uptime checks' },
  'alert-policy': { one: 'alert policy', several: 'alert policies' },
  'alert-channel': { one: 'alert channel', several: 'alert channels' },
  budget: { one: 'budget', several: 'budgets' },
  service: { one: 'service', several: 'services' },
  cluster: { one: 'GKE cluster', several: 'GKE clusters' },
  job: { one: 'job', several: 'jobs' },
};

/** `bucket, 12 GiB in 1,204 objects, 3 days old`. `now`: wall time, ms. */
export function describe(observed: Observed, now: number): string {
  const words = [NOUNS[observed.kind].one, sizeInWords(observed), ageInWords(observed.createdAt, now)];
  const state = observed.state === 'ready' ? null : observed.state;
  return [...words, state].filter((word) => word !== null).join(', ');
}

/** `12 GiB in 1,204 objects`, `empty`, `size not known`; null for what has no size. */
export function sizeInWords(observed: Observed): string | null {
  if (observed.kind === 'cluster') return plural(observed.attributes.nodes, 'node');
  if (observed.kind === 'sql-instance') return `${observed.attributes.storageGb} GB of storage`;
  const { bytes = null, objects = null } = observed.size ?? {};
  if (bytes === null && objects === null) {
    return observed.kind === 'bucket' ? 'size not known' : null;
  }
  if ((bytes ?? 0) === 0 && (objects ?? 0) === 0) return 'empty';
  const counted = objects === null ? null : plural(objects, 'object');
  if (bytes === null) return counted;
  return counted === null ? formatBytes(bytes) : `${formatBytes(bytes)} in ${counted}`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `5 minutes old`, `3 days old`, `2 years old`; null where nobody knows. */
export function ageInWords(createdAt: number | null, now: number): string | null {
  if (createdAt === null) return null;
  const age = now - createdAt;
  if (age < MINUTE) return 'just made';
  if (age < 2 * HOUR) return `${plural(Math.floor(age / MINUTE), 'minute')} old`;
  if (age < 2 * DAY) return `${plural(Math.floor(age / HOUR), 'hour')} old`;
  const days = Math.floor(age / DAY);
  if (days < 60) return `${plural(days, 'day')} old`;
  if (days < 730) return `${plural(Math.floor(days / 30.44), 'month')} old`;
  return `${plural(Math.floor(days / 365.25), 'year')} old`;
}
