import { invalid } from '../core/google-error.ts';
import type { JsonObject } from '../json.ts';

/** Flags of Postgres that can be set; a selection. */
export const FLAGS: readonly { name: string; type: 'INTEGER' | 'BOOLEAN' | 'STRING'; restart?: boolean }[] = [
  { name: 'autovacuum', type: 'BOOLEAN' },
  { name: 'autovacuum_max_workers', type: 'INTEGER', restart: true },
  { name: 'cloudsql.enable_pgaudit', type: 'BOOLEAN', restart: true },
  { name: 'cloudsql.enable_pg_cron', type: 'BOOLEAN', restart: true },
  { name: 'cloudsql.iam_authentication', type: 'BOOLEAN' },
  { name: 'cloudsql.logical_decoding', type: 'BOOLEAN', restart: true },
  { name: 'default_statistics_target', type: 'INTEGER' },
  { name: 'effective_cache_size', type: 'INTEGER' },
  { name: 'idle_in_transaction_session_timeout', type: 'INTEGER' },
  { name: 'log_connections', type: 'BOOLEAN' },
  { name: 'log_disconnections', type: 'BOOLEAN' },
  { name: 'log_lock_waits', type: 'BOOLEAN' },
  { name: 'log_min_duration_statement', type: 'INTEGER' },
  { name: 'log_statement', type: 'STRING' },
  { name: 'log_temp_files', type: 'INTEGER' },
  { name: 'maintenance_work_mem', type: 'INTEGER' },
  { name: 'max_connections', type: 'INTEGER', restart: true },
  { name: 'max_wal_size', type: 'INTEGER' },
  { name: 'max_worker_processes', type: 'INTEGER', restart: true },
  { name: 'pgaudit.log', type: 'STRING' },
  { name: 'random_page_cost', type: 'STRING' },
  { name: 'shared_buffers', type: 'INTEGER', restart: true },
  { name: 'statement_timeout', type: 'INTEGER' },
  { name: 'temp_file_limit', type: 'INTEGER' },
  { name: 'wal_buffers', type: 'INTEGER', restart: true },
  { name: 'work_mem', type: 'INTEGER' },
];

const SHARED: Record<string, number> = { 'db-f1-micro': 614, 'db-g1-small': 1741 };

/** Throws 400 for a tier that the edition does not have. */
export function refuseTier(tier: string, edition: string): void {
  const bad = (why: string): Error =>
    invalid(`Invalid request: Invalid Tier (${tier}) for (${edition}) Edition. ${why}`);
  if (edition === 'ENTERPRISE_PLUS') {
    if (/^db-(perf-optimized-N|c4a-highmem)-\d+$/.test(tier)) return;
    throw bad('Use a predefined tier such as db-perf-optimized-N-2, or the edition ENTERPRISE.');
  }
  if (SHARED[tier] !== undefined) return;
  const [, cpus, memory] = /^db-custom-(\d+)-(\d+)$/.exec(tier) ?? [];
  if (cpus === undefined) throw bad('Use db-f1-micro, db-g1-small or db-custom-CPUS-MEMORY.');
  const [cpu, megabytes] = [Number(cpus), Number(memory)];
  if (cpu < 1 || cpu > 96 || (cpu > 1 && cpu % 2 !== 0)) throw bad('The CPUs are 1 or an even number up to 96.');
  if (megabytes % 256 !== 0 || megabytes < Math.max(3840, cpu * 922) || megabytes > cpu * 6656)
    throw bad('The memory is a multiple of 256 MB, at least 3840 MB, and from 0.9 to 6.5 GB for each CPU.');
}

const REGIONS = ['europe-west1', 'europe-west3', 'europe-west4', 'us-central1', 'us-east1', 'us-west1', 'asia-east1'];

export const tiers = (): JsonObject[] =>
  [...Object.entries(SHARED), ['db-custom-1-3840', 3840] as const, ['db-custom-2-7680', 7680] as const].map(
    ([tier, megabytes]) => ({
      kind: 'sql#tier',
      tier,
      RAM: String(megabytes * 1024 * 1024),
      DiskQuota: SHARED[tier] === undefined ? '70368744177664' : '3298534883328',
      region: REGIONS,
    }),
  );

export const flags = (): JsonObject[] =>
  FLAGS.map(({ name, type, restart = false }) => ({
    kind: 'sql#flag',
    name,
    type,
    requiresRestart: restart,
    appliesTo: ['POSTGRES_13', 'POSTGRES_14', 'POSTGRES_15', 'POSTGRES_16', 'POSTGRES_17', 'POSTGRES_18'],
  }));

/** Extensions that Cloud SQL offers; a selection. */
export const EXTENSIONS: Record<string, string> = {
  btree_gin: '1.3',
  btree_gist: '1.7',
  citext: '1.6',
  dblink: '1.2',
  fuzzystrmatch: '1.1',
  hstore: '1.8',
  intarray: '1.5',
  ltree: '1.2',
  pg_cron: '1.6',
  pg_stat_statements: '1.10',
  pg_trgm: '1.6',
  pgaudit: '1.7',
  pgcrypto: '1.3',
  postgis: '3.5.2',
  postgres_fdw: '1.1',
  tablefunc: '1.0',
  unaccent: '1.1',
  'uuid-ossp': '1.1',
  vector: '0.8.0',
};
