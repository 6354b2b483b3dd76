import { isOwn } from './resource.ts';
import type { Desired, Kind, Observed, Value } from './resource.ts';

/** What is different about a resource that is there, and what can be done about it. */

export interface Difference {
  attribute: string;
  /** Null on what is created. */
  from: Value;
  to: Value;
  /** Why this cannot be changed on the one that is there; null: it can. */
  why: string | null;
}

interface Fixed {
  why: string;
  /** `replace`: another takes its place. `never`: not by evenkeel, since too much would go with it. */
  remedy: 'replace' | 'never';
  /** Whether this change is one of those; all are by default. */
  when?: (from: Value, to: Value) => boolean;
}

const isLess = (from: Value, to: Value): boolean => Number(to) < Number(from);
const major = (version: Value): number => (typeof version === 'string' ? Number(version.replace(/^\D+/, '')) : 0);

/** What is chosen when a resource is made, and stays. `location` is that of the resource. */
const FIXED: Partial<Record<Kind, Record<string, Fixed>>> = {
  connector: {
    network: { why: 'the network of a connector is chosen when it is made', remedy: 'replace' },
    range: { why: 'the range of a connector is chosen when it is made', remedy: 'replace' },
    location: { why: 'a connector stays in its region', remedy: 'replace' },
  },
  repository: {
    format: { why: 'the format of a repository is chosen when it is made', remedy: 'replace' },
    location: { why: 'a repository stays in its region', remedy: 'replace' },
  },
  bucket: { location: { why: 'a bucket stays where it was made', remedy: 'replace' } },
  secret: { replication: { why: 'where a secret is kept is chosen when it is made', remedy: 'replace' } },
  'uptime-check': { host: { why: 'the host of a check is chosen when it is made', remedy: 'replace' } },
  // Google keeps the name of a deleted instance for a week: one that takes its place could not have it.
  'sql-instance': {
    location: { why: 'a database stays in its region', remedy: 'never' },
    storageType: { why: 'the kind of disk is chosen when a database is made', remedy: 'never' },
    storageGb: { why: 'the disk of a database never shrinks', remedy: 'never', when: isLess },
    version: {
      why: 'a database goes to newer versions only',
      remedy: 'never',
      when: (from, to) => major(to) < major(from),
    },
    network: { why: 'a database does not leave its network', remedy: 'never', when: (from) => from !== null },
  },
};

/** Attributes of which the file says nothing: whatever they are is right. */
const UNSAID: Partial<Record<Kind, readonly string[]>> = { bucket: ['storageClass'], service: ['image'] };

/** Kinds that bear labels, so that one without ours is not ours. */
const LABELLED: ReadonlySet<Kind> = new Set<Kind>([
  'account',
  'repository',
  'bucket',
  'sql-instance',
  'secret',
  'uptime-check',
  'alert-policy',
  'alert-channel',
  'service',
  'job',
]);

export const isForeign = (observed: Observed, scope: { project: string; environment: string }): boolean =>
  LABELLED.has(observed.kind) && !isOwn(observed.labels, scope);

/** Everything that a new one gets. */
export const allNew = (desired: Desired): Difference[] =>
  Object.entries(valuesOf(desired)).map(([attribute, to]) => ({ attribute, from: null, to, why: null }));

/** @param foreign whether it is somebody else's: its labels are left alone. */
export function differencesOf(desired: Desired, observed: Observed, foreign: boolean): Difference[] {
  const wanted = valuesOf(desired);
  const there = valuesOf(observed);
  const fixed = FIXED[desired.kind] ?? {};
  const found: Difference[] = [];
  const add = (attribute: string, from: Value, to: Value): void => {
    const rule = fixed[attribute];
    const applies = rule !== undefined && (rule.when?.(from, to) ?? true);
    found.push({ attribute, from, to, why: applies ? rule.why : null });
  };
  for (const [attribute, to] of Object.entries(wanted)) {
    const from = there[attribute] ?? null;
    if (UNSAID[desired.kind]?.includes(attribute) === true || isSame(from, to)) continue;
    if (attribute === 'storageGb' && wanted['autoIncrease'] === true && Number(from) >= Number(to)) continue;
    if (attribute === 'extensions' && isWithin(to, from)) continue;
    add(attribute, from, to);
  }
  const { location } = observed;
  if (desired.location !== null && location !== null && desired.location.toLowerCase() !== location.toLowerCase())
    add('location', location, desired.location);
  if (!foreign && LABELLED.has(desired.kind)) {
    const missing = Object.entries(desired.labels).filter(([key, value]) => observed.labels[key] !== value);
    if (missing.length > 0) {
      const before = Object.fromEntries(
        missing.flatMap(([key]) => (key in observed.labels ? [[key, observed.labels[key] ?? '']] : [])),
      );
      add('labels', before, Object.fromEntries(missing));
    }
  }
  return found;
}

/** What has to happen for these differences to go away. */
export function remedyOf(kind: Kind, differences: readonly Difference[]): 'none' | 'update' | 'replace' | 'never' {
  if (differences.length === 0) return 'none';
  const fixed = FIXED[kind] ?? {};
  const stuck = differences.filter(({ why }) => why !== null).map(({ attribute }) => fixed[attribute]?.remedy);
  if (stuck.includes('never')) return 'never';
  return stuck.includes('replace') ? 'replace' : 'update';
}

/** What is in there goes with it. */
export const holdsData = (kind: Kind): boolean => ['bucket', 'repository', 'secret', 'sql-instance'].includes(kind);

const valuesOf = ({ attributes }: { attributes: object }): Record<string, Value> => attributes as Record<string, Value>;

/** Lists of single values are sets: nobody promises an order. */
export function isSame(a: Value, b: Value): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}

const isWithin = (part: Value, whole: Value): boolean =>
  Array.isArray(part) && Array.isArray(whole) && part.every((each) => whole.some((other) => isSame(each, other)));
