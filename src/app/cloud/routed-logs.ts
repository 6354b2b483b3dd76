import { Channel } from '../../lib/channel.ts';
import { jobName, releaseNumberIn } from '../../domain/cloud/run/names.ts';
import type { CloudLogs } from '../../ports/cloud-logs.ts';
import { described } from '../../ports/errors.ts';
import type { LogEntry, LogFile, LogQuery, LogReader } from '../../ports/logs.ts';
import type { Asked } from '../../ports/traffic.ts';
import type { SeenService } from '../../drivers/cloud-run/view.ts';
import type { Routing } from './routed.ts';

/** The log of an environment in the cloud, and what it is the log of. */
export interface CloudLog {
  logs: CloudLogs;
  services: () => Promise<SeenService[]>;
}

type Line = LogEntry & Omit<LogFile, 'file'>;

/** How far back the last lines are looked for: what is older is found in the console. */
const BACK_MS = 24 * 3_600_000;
/** The same of what a job wrote, which is asked for when it matters, not when it is fresh. */
const JOB_BACK_MS = 30 * BACK_MS;

/**
 * Instances and jobs in the cloud write no files here: their lines come from the cloud's log, each under its instance or
 * job. What its builds say is written down here while they run.
 */
export function routedLogs(
  local: LogReader,
  { isCloud, scopeOfJob }: Pick<Routing, 'isCloud' | 'scopeOfJob'>,
  logOf: (scope: Asked) => Promise<CloudLog>,
): LogReader {
  const scopeOf = async ({ instance }: LogFile): Promise<Asked | null> => {
    if (instance === null || isBuild(instance)) return null;
    const scope = isJob(instance) ? await scopeOfJob(instance) : scopeOfInstance(instance);
    return scope !== null && (await isCloud(scope)) ? scope : null;
  };
  return {
    maintain: (files) => local.maintain(files),
    async *read(query) {
      const away = new Map<string, { scope: Asked; files: LogFile[] }>();
      const here: LogFile[] = [];
      for (const file of query.files) {
        const scope = await scopeOf(file);
        if (scope === null) here.push(file);
        else {
          const key = `${scope.project}/${scope.environment}/${isJob(file.instance ?? '') ? 'jobs' : ''}`;
          const known = away.get(key) ?? { scope, files: [] };
          known.files.push(file);
          away.set(key, known);
        }
      }
      if (away.size === 0) {
        yield* local.read(query);
        return;
      }
      const channel = new Channel<Line>();
      const pass = async (lines: AsyncIterable<Line>): Promise<void> => {
        for await (const line of lines) await channel.send(line);
      };
      const caught = together(query.caughtUp, away.size + (here.length === 0 ? 0 : 1));
      const all = [
        ...(here.length === 0 ? [] : [pass(local.read({ ...query, files: here, caughtUp: caught() }))]),
        ...[...away.values()].map(async ({ scope, files }) => {
          const caughtUp = caught();
          await pass(linesOf(scope, logOf, files, { ...query, caughtUp }));
        }),
      ];
      const over = Promise.all(all);
      over.then(
        () => channel.close(),
        () => channel.close(),
      );
      yield* channel;
      // Why it ended early, if it did.
      await over;
    },
  };
}

/** Of several that read, each says when it has seen all; it is said on once every one of them has. */
function together(caughtUp: (() => void) | undefined, of: number): () => () => void {
  const seen = new Set<symbol>();
  return () => {
    const one = Symbol('reader');
    return () => {
      if (seen.add(one).size < of) return;
      seen.clear();
      caughtUp?.();
    };
  };
}

async function* linesOf(
  scope: Asked,
  logOf: (scope: Asked) => Promise<CloudLog>,
  files: readonly LogFile[],
  query: LogQuery,
): AsyncGenerator<Line> {
  const { lines, follow, signal, caughtUp } = query;
  const jobs = isJob(files[0]?.instance ?? '');
  try {
    const log = await logOf(scope);
    const { names, of } = jobs ? placesOfJobs(scope, files) : await placesOfInstances(log, files);
    if (names.length === 0) return;
    const since = Date.now() - (jobs ? JOB_BACK_MS : BACK_MS);
    const cloudQuery = { names, since, lines, follow, signal, programsOnly: jobs };
    for await (const entry of log.logs.read({ ...cloudQuery, ...(caughtUp === undefined ? {} : { caughtUp }) })) {
      const file = of(entry);
      if (file !== undefined) for (const line of entry.text.split('\n')) yield { at: entry.at, line, ...file };
    }
  } catch (error) {
    // No lines and lines that nobody could read must not look the same.
    for (const { file: _, ...first } of signal.aborted ? [] : files.slice(0, 1))
      yield { at: null, line: `evenkeel could not read the log in the cloud: ${described(error)}`, ...first };
  } finally {
    caughtUp?.();
  }
}

type Known = Omit<LogFile, 'file'>;

/** Whom to ask for, and which of the files that were asked for a line belongs to. */
interface Places {
  names: string[];
  of: (entry: { service: string; revision: string | null }) => Known | undefined;
}

/** By the names of their jobs in the cloud, each of which is one. */
function placesOfJobs(scope: Asked, files: readonly LogFile[]): Places {
  const of = new Map(files.map(({ file: _, ...each }) => [jobName(scope, each.instance ?? ''), each]));
  return { names: [...of.keys()], of: ({ service }) => of.get(service) };
}

/** By their revisions; of those that are gone, by the number in the name. */
async function placesOfInstances({ services }: CloudLog, files: readonly LogFile[]): Promise<Places> {
  const asked = new Map(files.map(({ file: _, ...each }) => [each.instance, each]));
  const gone = new Map(
    files.flatMap(({ file: _, cloudName, ...each }) =>
      cloudName === undefined ? [] : [[goneKey(cloudName, numberOf(each.release)), each]],
    ),
  );
  const of = new Map<string, Known>();
  const names = new Set(files.flatMap(({ cloudName }) => cloudName ?? []));
  for (const { name, record } of await services())
    for (const [revision, { id }] of Object.entries(record.instances)) {
      const file = asked.get(id);
      if (file === undefined) continue;
      of.set(revision, file);
      names.add(name);
    }
  return {
    names: [...names],
    of: ({ service, revision }) =>
      of.get(revision ?? '') ?? gone.get(goneKey(service, releaseNumberIn(revision ?? ''))),
  };
}

const goneKey = (service: string, release: string | null): string => `${service} ${release ?? ''}`;

/** `api@42` -> `42` */
const numberOf = (release: string | null): string | null => release?.slice(release.lastIndexOf('@') + 1) ?? null;

/** `shop.production.api@1.0.0` is an instance, `r7f3.migrate.api` a job. */
const isJob = (id: string): boolean => !id.includes('@');
const isBuild = (id: string): boolean => isJob(id) && id.split('.')[1] === 'build' && id.split('.')[3] !== 'run';

function scopeOfInstance(id: string): Asked | null {
  const [project, environment] = id.split('.');
  return project === undefined || environment === undefined ? null : { project, environment };
}
