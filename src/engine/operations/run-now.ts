import { type Run } from '../../domain/schedule/run.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { currentOf } from './new-releases.ts';
import { requireUp } from './require-up.ts';

interface Asked {
  project: string;
  environment: string;
  service: string;
  by: string;
}

/**
 * Runs a scheduled service now. Answers once it is recorded; the loop does the rest. Throws EvenkeelError
 * `service-unknown`, `service-not-scheduled` or `run-under-way`.
 */
export async function runNow(engine: Engine, { project, environment, service, by }: Asked): Promise<Run> {
  const { deps } = engine;
  const scope = { project, environment };
  await requireUp(deps, scope);
  const release = await scheduledRelease(engine, { ...scope, service });
  for (let attempt = 0; attempt < 3; attempt++) {
    const run: Run = {
      ...scope,
      service,
      // Two that are asked for in one millisecond, by two controllers, are two.
      dueAt: deps.clock.now() + attempt,
      askedBy: by,
      release,
      state: 'running',
      startedAt: null,
      endedAt: null,
      reason: `asked for by ${by}`,
      cancelledBy: null,
    };
    const added = await deps.store.addRun(run);
    if (added !== null) {
      engine.wake(scope);
      return added;
    }
    const [running] = await deps.store.runs({ ...scope, service, running: true });
    if (running === undefined) continue;
    throw new EvenkeelError({
      code: 'run-under-way',
      what: `${service} runs already, since ${new Date(running.startedAt ?? running.dueAt).toISOString()}`,
      why: 'there is never more than one run of a service at a time',
      next: `evenkeel logs ${service} -f follows it, evenkeel run ${service} --cancel ends it`,
    });
  }
  throw new EvenkeelError({
    code: 'run-contested',
    what: `other runs of ${service} keep beginning`,
    retryable: true,
    exit: 2,
  });
}

/** Ends the run of a service. Throws EvenkeelError `no-run`. */
export async function cancelRun(engine: Engine, { project, environment, service, by }: Asked): Promise<Run> {
  const run = await engine.deps.store.cancelRun({ project, environment, service }, by);
  if (run === null)
    throw new EvenkeelError({
      code: 'no-run',
      what: `${service} does not run now`,
      next: `evenkeel run --list ${service} shows its runs`,
    });
  engine.wake({ project, environment });
  return run;
}

async function scheduledRelease(
  { deps }: Engine,
  { project, environment, service }: Omit<Asked, 'by'>,
): Promise<string> {
  const deployments = await deps.store.deployments(project, environment);
  const current = currentOf(deployments, service);
  const release = current === null ? null : await deps.store.release(project, current);
  if (release?.config.schedule !== undefined) return release.id;
  const scheduled = await Promise.all(
    deployments.map(async (each) => (each.current === null ? null : deps.store.release(project, each.current))),
  );
  const names = scheduled.flatMap((each) => (each?.config.schedule === undefined ? [] : [each.service]));
  const known = deployments.some((each) => each.service === service);
  throw new EvenkeelError({
    code: known ? 'service-not-scheduled' : 'service-unknown',
    what: !known
      ? `service ${service} was never deployed here`
      : current === null
        ? `${service} has no release yet`
        : `${service} has no \`schedule\`: it runs all the time`,
    next: names.length === 0 ? 'evenkeel status' : `scheduled are: ${names.join(', ')}`,
  });
}
