import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { EvenkeelError } from '../../ports/errors.ts';
import type { LogFile } from '../../ports/logs.ts';
import { envOption } from '../../lib/env-option.ts';
import { releaseOf } from '../../engine/beside.ts';
import { WORK_KINDS } from '../../engine/work-ids.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { LogLine } from '../contract/logs.ts';
import { accessLine, accessLog, lastOf } from './access-log.ts';
import { drained } from './drained.ts';
import { jobLogs } from './job-logs.ts';
import { runLogs } from './run-logs.ts';
import { linePattern } from './log-pattern.ts';

const querySchema = z.object({
  project: z.string(),
  environment: z.string(),
  service: z.string().optional(),
  release: z.string().optional(),
  instance: z.string().optional(),
  /** The output of this kind of job instead of that of instances. */
  job: z.enum([...WORK_KINDS, 'scheduled']).optional(),
  /** The access log of the edge instead. */
  access: z.enum(['true', 'false']).default('false'),
  /** Wall time; lines whose time is not known are kept. */
  since: z.coerce.number().int().optional(),
  lines: z.coerce.number().int().min(0).max(100_000).default(200),
  grep: z.string().max(1000).optional(),
  follow: z.enum(['true', 'false']).default('false'),
});

export function logRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.get('/v1/logs', async (request, reply) => {
    const query = querySchema.parse(request.query);
    const pattern = query.grep === undefined ? null : await linePattern(query.grep);
    const access = query.access === 'true';
    const files = access ? [accessLog(deps, query)] : await logFiles(deps, query);
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    const follow = query.follow === 'true';
    async function* matching(from: LogFile[], lines: number): AsyncGenerator<LogLine> {
      for await (const entry of deps.logs.read({ files: from, lines, follow, signal: gone.signal })) {
        const line: LogLine | null = access ? accessLine(entry, query) : entry;
        if (line === null || (query.since !== undefined && line.at !== null && line.at < query.since)) continue;
        if (pattern === null || pattern(entry.line)) yield line;
      }
    }
    const tell = async (found: AsyncIterable<LogLine>): Promise<void> => {
      for await (const line of found)
        if (!reply.raw.write(`${JSON.stringify(line)}\n`)) await drained(reply.raw, gone.signal);
    };
    try {
      // One file holds what concerns everybody, so its last lines may concern nobody who was asked for.
      const first = tell(
        access && !follow ? lastOf(matching(files, ALL_LINES), query.lines) : matching(files, query.lines),
      );
      if (follow && !access) {
        // A log that cannot be read ends it all, whichever it is.
        const end = (): void => gone.abort();
        first.catch(end);
        for await (const born of newFiles(deps, query, files, gone.signal))
          void tell(matching(born, ALL_LINES)).catch(end);
      }
      await first;
    } finally {
      reply.raw.end();
    }
  });
}

const ALL_LINES = 100_000;
const LOOK_EVERY_MS = 500;

/** Who follows a service follows its next release, and the instance after a crash: their logs, as they come to be. */
async function* newFiles(
  deps: ApiDeps,
  query: z.infer<typeof querySchema>,
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
async function logFiles(deps: ApiDeps, query: z.infer<typeof querySchema>): Promise<LogFile[]> {
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
  const files = gone.filter(matches).slice(-GONE);
  if (files.length > 0) return files;
  await refuseFiles(deps, query);
  const what = query.instance ?? query.release ?? query.service;
  throw new EvenkeelError({
    code: 'no-logs',
    what: `no instance matches${what === undefined ? '' : ` ${what}`}`,
    next: `evenkeel status${envOption(query.environment)} shows what runs, evenkeel releases${envOption(query.environment)} what ran`,
  });
}

/** Throws EvenkeelError `no-logs` where no program runs that could write any, with what there is instead. */
async function refuseFiles(deps: ApiDeps, query: z.infer<typeof querySchema>): Promise<void> {
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
