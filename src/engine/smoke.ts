import type { SmokeCheck } from '../domain/project/project.ts';
import type { Release } from '../domain/release/release.ts';
import type { Work } from '../domain/rollout/observed.ts';
import type { EngineDeps } from './deps.ts';

type Asked = Pick<Release, 'id' | 'project' | 'environment' | 'service'>;

const SMOKE_TIMEOUT_MS = 10_000;
/** The preview port may open a moment after the instance is healthy. */
const TRIES = 3;

/** Asks the new release, through the edge's preview port, what the file says that it must answer. */
export async function runHttpSmoke(
  deps: Pick<EngineDeps, 'traffic' | 'clock'>,
  target: { checks: SmokeCheck[]; port: number | null; host: string | null; release: Asked },
): Promise<Work> {
  if (target.port === null) return { state: 'failed', detail: 'the service has no preview port to be asked on' };
  const passed: string[] = [];
  for (const check of target.checks) {
    if (check.kind !== 'http') continue;
    const what = `${check.method} ${check.path}`;
    const problem = await ask(deps, check, { ...target, port: target.port });
    if (problem !== null) return { state: 'failed', detail: `${what}: ${problem}` };
    passed.push(what);
  }
  return { state: 'done', detail: passed.join(', ') };
}

async function ask(
  deps: Pick<EngineDeps, 'traffic' | 'clock'>,
  check: Extract<SmokeCheck, { kind: 'http' }>,
  target: { port: number; host: string | null; release: Asked },
): Promise<string | null> {
  let problem = '';
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      const { method, path } = check;
      const { project, environment, service, id } = target.release;
      const reply = await deps.traffic.probe({
        address: null,
        port: target.port,
        host: target.host,
        method,
        path,
        timeoutMs: SMOKE_TIMEOUT_MS,
        of: { project, environment, service, release: id },
      });
      if (reply.release !== target.release.id)
        problem = `answered by ${reply.release ?? 'the edge itself'}, not by ${target.release.id}`;
      else if (reply.status !== check.status) return `status ${reply.status}, expected ${check.status}`;
      else if (check.bodyIncludes !== null && !reply.body.includes(check.bodyIncludes))
        return `the body does not include ${JSON.stringify(check.bodyIncludes)}`;
      else return null;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (attempt < TRIES) await deps.clock.sleep(200 * attempt);
  }
  return problem;
}
