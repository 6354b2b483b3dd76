import { EvenkeelError } from '../../ports/errors.ts';
import type { LogFile } from '../../ports/logs.ts';
import { Channel } from '../../lib/channel.ts';
import { envOption } from '../../lib/env-option.ts';
import { releaseOf } from '../../engine/beside.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers, Sent } from '../call.ts';
import type { CheckedLogsQuery, LogLine } from '../contract/logs.ts';
import { accessLine, accessLog, lastOf } from './access-log.ts';
import { jobLogs } from './job-logs.ts';
import { runLogs } from './run-logs.ts';
import { type LinePattern, linePattern } from './log-pattern.ts';

const HEARTBEAT_MS = 5_000;

export function logHandlers(deps: ApiDeps): Pick<Handlers, 'readLogs'> {
  return {
    async readLogs(query, { signal }) {
      const pattern = query.grep === undefined ? null : await linePattern(query.grep);
      const files = query.access ? [accessLog(deps, query)] : await logFiles(deps, query);
      const channel = new Channel<Sent<LogLine>>();
      const over = new AbortController();
      const gone = AbortSignal.any([signal, over.signal]);
      signal.addEventListener('abort', () => channel.close(), { once: true });
      void tell(deps, query, { files, pattern, gone, send: (line) => channel.send(line) })
        .catch(() => undefined)
        .finally(() => {
          over.abort();
          channel.close();
        });
      return channel;
    },
  };
}

interface Telling {
  files: LogFile[];
  pattern: LinePattern | null;
  gone: AbortSignal;
  send: (line: Sent<LogLine>) => Promise<void>;
}

async function tell(deps: ApiDeps, query: CheckedLogsQuery, { files, pattern, gone, send }: Telling): Promise<void> {
  const { access, follow, since } = query;
  const over = new AbortController();
  const signal = AbortSignal.any([gone, over.signal]);
  const matching = async function* (from: LogFile[], lines: number): AsyncGenerator<LogLine> {
    for await (const entry of deps.logs.read({ files: from, lines, follow, signal })) {
      const line: LogLine | null = access ? accessLine(entry, query) : entry;
      if (line === null || (since !== undefined && line.at !== null && line.at < since)) continue;
      if (pattern === null || pattern(entry.line)) yield line;
    }
  };
  const pass = async (found: AsyncIterable<LogLine>): Promise<void> => {
    for await (const data of found) await send({ data });
  };
  // One file holds what concerns everybody, so its last lines may concern nobody who was asked for.
  const first = pass(
    access && !follow ? lastOf(matching(files, ALL_LINES), query.lines) : matching(files, query.lines),
  );
  if (follow) void signsOfLife(deps, signal, send);
  if (follow && !access) {
    // A log that cannot be read ends it all, whichever it is.
    const end = (): void => over.abort();
    first.catch(end);
    for await (const born of newFiles(deps, query, files, signal)) void pass(matching(born, ALL_LINES)).catch(end);
  }
  await first;
}

async function signsOfLife(deps: ApiDeps, signal: AbortSignal, send: Telling['send']): Promise<void> {
  while (!signal.aborted) {
    await deps.engine.deps.clock.sleep(HEARTBEAT_MS, signal);
    await send(null);
  }
}

const ALL_LINES = 100_000;
const LOOK_EVERY_MS = 500;

/** Who follows a service follows its next release, and the instance after a crash: their logs, as they come to be. */
async function* newFiles(
  deps: ApiDeps,
  query: CheckedLogsQuery,
  known: LogFile[],
  signal: AbortSignal,
): AsyncGenerator<LogFile[]> {
  const { clock } = deps.engine.deps;
  const seen = new Set(known.map((each) => each.file));
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) return;
    // What could be named at first may be gone now, and that is no reason to stop listening.
    const born = (await logFiles(deps, query).catch(() => [])).filter((each) => !seen.has(each.file));
    for (const each of born) seen.add(each.file);
    if (born.length > 0) yield born;
  }
}

/** How many instances that are gone are told of: the last ones. */
const GONE = 3;

/** The logs of instances that are known, running or ended, newest last; of some that are gone when only those match. */
async function logFiles(deps: ApiDeps, query: CheckedLogsQuery): Promise<LogFile[]> {
  const { runtime, places } = deps.engine.deps;
  const scope = { project: query.project, environment: query.environment };
  if (query.job === 'scheduled') return runLogs(deps, query);
  if (query.job !== undefined) return jobLogs(deps, { ...scope, ...query, job: query.job });
  const matches = (each: Omit<LogFile, 'file'>): boolean =>
    (query.service === undefined || each.service === query.service) &&
    (query.release === undefined || each.release === query.release) &&
    (query.instance === undefined || each.instance === query.instance);
  const known = (await runtime.observe(scope))
    .toSorted((a, b) => a.startedAt - b.startedAt)
    .map((each) => ({
      file: places.instanceLog({ ...scope, service: each.service, instance: each.id }),
      service: each.service,
      release: each.release,
      instance: each.id,
    }))
    .filter(matches);
  if (known.length > 0) return known;
  // What runs at its times only has no instances, and whoever asks for it means its runs.
  if (query.service !== undefined && query.instance === undefined) {
    const runs = await runLogs(deps, query).catch(() => []);
    if (runs.length > 0) return runs;
  }
  // A release that was taken back left nothing but what it said.
  const services = (await deps.engine.deps.store.deployments(scope.project, scope.environment)).map(
    (each) => each.service,
  );
  const gone = (await Promise.all(services.map((service) => logsOfService(deps, { ...scope, service })))).flat();
  const away = await releasesAway(deps, scope);
  const files = [...gone, ...away].filter(matches).slice(-GONE);
  if (files.length > 0) return files;
  await refuseFiles(deps, query);
  const what = query.instance ?? query.release ?? query.service;
  const env = envOption(query.environment);
  throw new EvenkeelError({
    code: 'no-logs',
    what: `no instance matches${what === undefined ? '' : ` ${what}`}`,
    next: `evenkeel status${env} shows what runs, evenkeel releases${env} what ran`,
  });
}

/** Throws EvenkeelError `no-logs` where no program runs that could write any, with what there is instead. */
async function refuseFiles(deps: ApiDeps, query: CheckedLogsQuery): Promise<void> {
  const { project, environment, service } = query;
  const record = await deps.engine.deps.store.environment(project, environment);
  const meant = record?.config.services.filter((each) => service === undefined || each.name === service) ?? [];
  const [one] = meant;
  if (one === undefined || meant.some(({ kind }) => kind !== 'static')) return;
  const name = service ?? one.name;
  const env = envOption(environment);
  const how =
    (record?.config.environment.entry?.accessLog ?? null) === null
      ? ', once evenkeel.yaml has `accessLog: true` for this environment'
      : '';
  throw new EvenkeelError({
    code: 'no-logs',
    what: `${meant.map((each) => each.name).join(', ')} ${meant.length === 1 ? 'is' : 'are'} static: files that the edge serves, without a program that could write logs`,
    next: `evenkeel logs ${name} --access${env} shows what visitors asked${how}; evenkeel logs ${name} --job build${env} what its build wrote`,
  });
}

/** In the cloud nothing of a release is kept here; its log is there all the same. Oldest first. */
async function releasesAway(deps: ApiDeps, scope: { project: string; environment: string }): Promise<LogFile[]> {
  const { store } = deps.engine.deps;
  const services = (await store.environment(scope.project, scope.environment))?.config.services ?? [];
  const found = services.map(async ({ name, cloud }): Promise<LogFile[]> => {
    if (cloud === undefined) return [];
    const releases = await store.releases({ ...scope, service: name, limit: GONE });
    return releases.toReversed().map(({ id }) => ({
      file: '',
      service: name,
      release: id,
      instance: `${scope.project}.${scope.environment}.${id}`,
      cloudName: cloud.name,
    }));
  });
  return (await Promise.all(found)).flat();
}

async function logsOfService(
  deps: ApiDeps,
  scope: { project: string; environment: string; service: string },
): Promise<LogFile[]> {
  const { places } = deps.engine.deps;
  return (await places.instanceLogs(scope)).map(({ instance, file }) => ({
    file,
    service: scope.service,
    release: releaseOf(instance, scope),
    instance,
  }));
}
