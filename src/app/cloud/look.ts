import { type Setting, desiredOf } from '../../domain/cloud/desired.ts';
import { foreseenUrl } from '../../domain/cloud/names.ts';
import type { Desired, Kind, Observed } from '../../domain/cloud/resource.ts';
import { observe, type Sight } from '../../engine/cloud/observe.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { type DeskDeps, scopeOf } from './desk-deps.ts';

/** Kinds that bear labels: what was taken out of the file is found among them. */
const LABELLED: readonly Kind[] = ['repository', 'bucket', 'secret', 'sql-instance', 'service'];

/** All that may be there: a clean-up overlooks nothing that costs. */
export const EVERY_KIND: readonly Kind[] = [
  'api',
  'connector',
  'account',
  'role',
  'repository',
  'bucket',
  'sql-instance',
  'sql-database',
  'sql-user',
  'secret',
  'audit-logs',
  'log-retention',
  'uptime-check',
  'alert-policy',
  'alert-channel',
  'budget',
  'service',
  'cluster',
  'job',
];

export interface Here {
  desired: Desired[];
  sight: Sight;
}

/**
 * What the file asks for beside what is there. Services answer where they were put: what is said of their addresses
 * follows from what is seen.
 */
export async function desiredHere(
  deps: DeskDeps,
  projectNumber: string,
  options: {
    deadlineMs: number;
    signal: AbortSignal;
    /** Kinds beside those that the file asks for. */
    more?: readonly Kind[];
    /** Those of them that this is about; all by default. */
    kinds?: ReadonlySet<Kind>;
    sizes?: boolean;
  },
): Promise<Here> {
  const { deadlineMs, signal, more = LABELLED, kinds, sizes = false } = options;
  const asked = kindsHere(deps, more);
  const about = kinds === undefined ? asked : new Set([...asked].filter((kind) => kinds.has(kind)));
  if (about.has('uptime-check')) about.add('service');
  const sight = await observe(deps.cloud, [...about], { deadlineMs, signal, sizes });
  return { desired: desiredBeside(deps, projectNumber, sight), sight };
}

/**
 * By which address each service is looked at from outside, by their names in the file. A service has several: the one that
 * is looked at already is as good as any, and the one foreseen never changes.
 */
function urlsWatched({ config }: DeskDeps, setting: Setting, observed: readonly Observed[]): Map<string, string> {
  const watched = new Set(
    observed.flatMap((each) => (each.kind === 'uptime-check' ? [`https://${each.attributes.host}`] : [])),
  );
  return new Map(
    config.services.flatMap(({ service, name }): [string, string][] => {
      const seen = observed.find((each) => each.kind === 'service' && each.name === name);
      if (seen?.url === undefined) return [];
      const foreseen = foreseenUrl(name, { ...setting, region: config.region });
      const urls = seen.urls ?? [seen.url];
      return [[service, urls.find((url) => watched.has(url)) ?? (urls.includes(foreseen) ? foreseen : seen.url)]];
    }),
  );
}

/** Which kinds there are is the same in every project. */
const ANY_NUMBER = '0';

function kindsHere(deps: DeskDeps, more: readonly Kind[]): Set<Kind> {
  const setting: Setting = { ...scopeOf(deps), projectNumber: ANY_NUMBER };
  return new Set([...desiredOf(deps.config, setting).map(({ kind }) => kind), ...more]);
}

const desiredBeside = (deps: DeskDeps, projectNumber: string, { observed }: Sight): Desired[] =>
  desiredOf(deps.config, {
    ...scopeOf(deps),
    projectNumber,
    urls: urlsWatched(deps, { ...scopeOf(deps), projectNumber }, observed),
  });

/**
 * The same in one go, for whoever only looks: within the deadline in all, whatever hangs. `numberKnown` false: who the
 * project is was not answered in time, and addresses of services that were never deployed cannot be foreseen.
 */
export async function seenWithin(
  deps: DeskDeps,
  { deadlineMs, more, signal }: { deadlineMs: number; more: readonly Kind[]; signal: AbortSignal },
): Promise<Here & { numberKnown: boolean }> {
  const [greeted, sight] = await Promise.all([
    within(deadlineMs, (until) => deps.cloud.greet(until), signal),
    observe(deps.cloud, [...kindsHere(deps, more)], { deadlineMs, signal }),
  ]);
  return {
    desired: desiredBeside(deps, greeted?.projectNumber ?? ANY_NUMBER, sight),
    sight,
    numberKnown: greeted !== null,
  };
}

/** Null when it took longer, or failed as it may not the next time. */
async function within<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T | null> {
  const late = new AbortController();
  let timeout: NodeJS.Timeout | undefined;
  const over = new Promise<null>((resolve) => (timeout = setTimeout(() => resolve(null), ms)));
  try {
    return await Promise.race([ask(AbortSignal.any([signal, late.signal])), over]);
  } catch (error) {
    if (error instanceof EvenkeelError && error.retryable && !signal.aborted) return null;
    throw error;
  } finally {
    clearTimeout(timeout);
    late.abort();
  }
}

/** Where services answer, by their names in the file. */
export function urlsSeen({ config }: Pick<DeskDeps, 'config'>, observed: readonly Observed[]): Map<string, string> {
  const urls = new Map(
    observed.flatMap(({ kind, name, url }) => (kind === 'service' && url !== undefined ? [[name, url]] : [])),
  );
  return new Map(
    config.services.flatMap(({ service, name }): [string, string][] => {
      const url = urls.get(name);
      return url === undefined ? [] : [[service, url]];
    }),
  );
}

export const unknownOf = ({ unknown }: Sight) =>
  unknown.map(({ kind, problem: { code, message, next, retryable } }) => ({
    kind,
    problem: { code, message, next, retryable },
  }));
