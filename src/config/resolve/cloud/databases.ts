import type { CloudDatabase } from '../../../domain/cloud/config.ts';
import { databaseDefaults, OLDEST_POSTGRES } from '../../../domain/cloud/defaults.ts';
import { cloudName, dashed, NAME_LIMITS } from '../../../domain/cloud/names.ts';
import { addressVariable, databaseEnv, passwordVariable } from '../../../domain/cloud/variables.ts';
import type { Reach } from '../../../domain/cloud/variables.ts';
import type { EnvPart, EnvTemplate } from '../../../domain/project/project.ts';
import type { Filling } from '../../fill.ts';
import { problemAt } from '../../problem.ts';
import type { Complaint, Problem } from '../../problem.ts';
import { CLOUD_DATABASE_KEYS, database as databaseSchema } from '../../schema/database.ts';
import type { WrittenDatabase } from '../../schema/database.ts';
import { child, keyPlace, toPlain } from '../../tree.ts';
import type { Entry, Tree } from '../../tree.ts';
import { resolveUrl } from '../env.ts';
import { parseTolerantly } from '../tolerant-parse.ts';
import { laidOver, mentionsCloud } from './place.ts';
import type { CloudPlace } from './place.ts';

export interface Databases {
  /** What `${databases.NAME.url}` stands for; null when it is wrong. */
  urls: Map<string, EnvPart[] | null>;
  /** What services that use databases find. */
  env: EnvTemplate;
  cloud: CloudDatabase | null;
  /** Secrets that services need besides those that the file lists. */
  secrets: string[];
}

/** Of an environment: those with a `url`, and the one without, which is in the cloud. */
export function resolveDatabases(
  tree: Tree,
  place: CloudPlace | null,
  filling: Filling,
  secretIds: ReadonlyMap<string, string>,
  problems: Problem[],
): Databases {
  const found: Databases = { urls: new Map(), env: {}, cloud: null, secrets: [] };
  const databases = laidOver(tree, 'databases', filling.environment);
  if (databases?.kind !== 'map') return found;
  for (const [key, entry] of databases.entries) {
    const report = (path: readonly string[], complaint: Complaint): void => {
      problems.push(problemAt(keyPlace(entry.value, path), [...entry.value.path, ...path], complaint));
    };
    const url = child(entry.value, 'url');
    const written = parseTolerantly(databaseSchema, toPlain(entry.value)) ?? {};
    if (url !== undefined) {
      const parts = resolveUrl(url, filling, problems);
      found.urls.set(key, parts);
      if (parts !== null) found.env[addressVariable({ key })] = parts;
      const only = CLOUD_DATABASE_KEYS.find((name) => child(entry.value, name) !== undefined);
      if (only !== undefined && !mentionsCloud(tree))
        report([only], {
          code: 'contradiction',
          message: `\`${only}\` is about a database in the cloud, and this one is somewhere else`,
          hint: 'set it where the database runs, and take it out here',
        });
      continue;
    }
    if (place === null) {
      found.urls.set(key, null);
      problems.push(problemAt(entry.place, entry.value.path, noCloud(filling.environment)));
      continue;
    }
    checkCloudDatabase(written, report);
    if (found.cloud !== null) {
      const message = 'a second database in the cloud is not available in evenkeel 0.1 yet: give it a `url`';
      problems.push(problemAt(entry.place, entry.value.path, { code: 'not-available', message }));
      continue;
    }
    const database = cloudDatabase(key, written, place, secretIds);
    found.cloud = database;
    addCloudDatabase(found, database, { place, entry, filling, problems });
  }
  return found;
}

interface Around {
  place: CloudPlace;
  entry: Entry;
  filling: Filling;
  problems: Problem[];
}

/** By its socket on Cloud Run, at 127.0.0.1 in development, elsewhere at the address that DATABASE_URL says. */
function addCloudDatabase(found: Databases, database: CloudDatabase, around: Around): void {
  const { place, entry, filling, problems } = around;
  const variable = addressVariable(database);
  if (!place.runsServices && filling.environment !== 'development') {
    const { place: at } = entry;
    const text = `\${${variable}}`;
    const path = [...entry.value.path, 'url'];
    const unset: Problem[] = [];
    const url = resolveUrl(
      { kind: 'scalar', path, place: at, value: text, source: text, filledFrom: null },
      filling,
      unset,
    );
    // It stands nowhere in the file.
    problems.push(...unset.map((problem) => ({ ...problem, path: entry.value.path.join('.') })));
    found.urls.set(database.key, url);
    if (url !== null) found.env[variable] = url;
    return;
  }
  const reach: Reach = place.runsServices ? 'socket' : 'local';
  const env = databaseEnv(database, place, reach);
  Object.assign(found.env, env);
  found.urls.set(database.key, env[variable] ?? null);
  found.secrets.push(passwordVariable(database), ...(reach === 'socket' ? [variable] : []));
}

function cloudDatabase(
  key: string,
  written: WrittenDatabase,
  place: CloudPlace,
  secretIds: ReadonlyMap<string, string>,
): CloudDatabase {
  const standard = databaseDefaults(place.scope.environment);
  const idOf = (variable: string): string =>
    secretIds.get(variable) ?? cloudName(place.scope, dashed(variable), NAME_LIMITS.secret);
  const { backups, maintenance, storage, size } = written;
  return {
    key,
    instance: written.instance ?? cloudName(place.scope, key, NAME_LIMITS['sql-instance']),
    version: Number(written.version ?? standard.version),
    tier: written.tier ?? standard.tier,
    highAvailability: written.highAvailability ?? standard.highAvailability,
    storageGb: size === undefined ? standard.storageGb : gigabytes(size),
    storageType: storage === undefined ? standard.storageType : storage === 'hdd' ? 'HDD' : 'SSD',
    autoIncrease: written.autoIncrease ?? standard.autoIncrease,
    backupStart: backups?.start ?? standard.backupStart,
    backupsKept: backups?.keep ?? standard.backupsKept,
    pointInTime: backups?.pointInTime ?? standard.pointInTime,
    maintenance: {
      day: maintenance?.day ?? standard.maintenance.day,
      hour: maintenance?.hour ?? standard.maintenance.hour,
    },
    maxConnections: written.maxConnections ?? null,
    extensions: [...new Set(written.extensions ?? [])],
    name: written.name ?? place.scope.project.replaceAll('-', '_'),
    user: written.user ?? 'app',
    passwordSecret: idOf(passwordVariable({ key })),
    urlSecret: idOf(addressVariable({ key })),
    deletionProtection: written.deletionProtection ?? standard.deletionProtection,
  };
}

/** The cloud counts in powers of two and says GB. */
const gigabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 30);

function checkCloudDatabase(
  written: WrittenDatabase,
  report: (path: readonly string[], complaint: Complaint) => void,
): void {
  const { engine, version, size } = written;
  if (engine !== undefined && engine !== 'postgres') {
    const message = `\`${engine}\` in the cloud is not available in evenkeel 0.1 yet: use \`postgres\`, or give the \`url\` of one`;
    report(['engine'], { code: 'not-available', message });
  }
  const major = version === undefined ? OLDEST_POSTGRES : Number(version);
  if (!Number.isInteger(major) || major < OLDEST_POSTGRES || major > 30) {
    const expected = `a major version from ${OLDEST_POSTGRES} on`;
    report(['version'], { code: 'bad-value', message: `expected ${expected} for a Postgres in the cloud`, expected });
  }
  if (size !== undefined && (gigabytes(size) < 10 || gigabytes(size) > 65_536)) {
    report(['size'], { code: 'bad-value', message: 'a disk in the cloud has 10Gi to 64Ti', expected: 'such as 20Gi' });
  }
}

const noCloud = (environment: string): Complaint => ({
  code: 'not-available',
  message: `a database without \`url\` is one in the cloud, and \`${environment}\` has no \`cloud\``,
  expected: '`url: ${DATABASE_URL}`, or `cloud: { project: ID, region: REGION }`',
  hint: 'start the database yourself and give its `url`, or have one in the cloud: add `cloud`',
});
