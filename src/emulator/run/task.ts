import { constants } from 'node:os';
import { spawnPiped } from '../../platform/process/spawn-piped.ts';
import { sendSignal } from '../../platform/process/table.ts';
import { lines } from '../../platform/stream-lines.ts';
import { within } from '../../platform/within.ts';
import { valuesOf } from './checks.ts';
import type { Engine } from './engine.ts';
import { launchOf } from './launch.ts';
import { placeOf, shortName } from './names.ts';
import { findImage } from './neighbours.ts';
import type { Execution } from './shapes.ts';
import { seconds } from './validate.ts';

export interface AttemptResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  termSignal: number | null;
  message: string;
}

/** Runs a task's program once, to its end. */
export async function attempt(
  engine: Engine,
  execution: Execution,
  which: { index: number; attempt: number },
  cancel: AbortSignal,
): Promise<AttemptResult> {
  const container = execution.template.containers?.[0] ?? {};
  const image = findImage(engine.world, engine.images, container.image ?? '');
  if (image === null) return { exitCode: 1, termSignal: null, message: `Image '${container.image ?? ''}' not found.` };
  const values = {
    ...engine.options.env,
    ...valuesOf(engine.world, container, placeOf(execution.name).project),
    CLOUD_RUN_JOB: execution.job,
    CLOUD_RUN_EXECUTION: shortName(execution.name),
    CLOUD_RUN_TASK_INDEX: String(which.index),
    CLOUD_RUN_TASK_ATTEMPT: String(which.attempt),
    CLOUD_RUN_TASK_COUNT: String(execution.taskCount),
  };
  const { argv, cwd, env } = launchOf(image, container, await engine.onHost(values, execution.template), engine.host);
  try {
    const child = await spawnPiped(argv, { cwd, env });
    engine.remembered.add(child.pid);
    const read = (stream: 'stdout' | 'stderr') => say(engine, execution, which, stream, child[stream]);
    const said = Promise.all([read('stdout'), read('stderr')]);
    const timeoutMs = seconds(execution.template.timeout ?? '600s') * 1000;
    const late = await endOn(
      [cancel, engine.stopping.signal, AbortSignal.timeout(timeoutMs)],
      child,
      engine.options.graceMs,
    );
    const { code, signal } = await child.exited;
    sendSignal(-child.pid, 'SIGKILL'); // children it left behind
    engine.remembered.remove(child.pid);
    await within(500, [said]);
    const termSignal = signal === null ? null : (constants.signals[signal] ?? null);
    if (late)
      return {
        exitCode: code === 0 ? null : code,
        termSignal: termSignal ?? 15,
        message: 'The configured timeout was reached, or the execution was cancelled.',
      };
    return {
      exitCode: code,
      termSignal,
      message:
        code === null
          ? `The container was ended by ${signal}.`
          : `The container exited with an error: exit code ${code}.`,
    };
  } catch (error) {
    return {
      exitCode: 127,
      termSignal: null,
      message: `The container could not be started: ${(error as Error).message}`,
    };
  }
}

/** Waits for the end of a program, and brings it about once one of the signals says so; whether one did. */
async function endOn(
  signals: readonly AbortSignal[],
  child: { pid: number; exited: Promise<unknown> },
  graceMs: number,
): Promise<boolean> {
  const any = AbortSignal.any([...signals]);
  const asked = new Promise<boolean>((resolve) => {
    if (any.aborted) resolve(true);
    any.addEventListener('abort', () => resolve(true), { once: true });
  });
  const late = await Promise.race([child.exited.then(() => false), asked]);
  if (!late) return false;
  sendSignal(-child.pid, 'SIGTERM');
  await within(graceMs, [child.exited]);
  sendSignal(-child.pid, 'SIGKILL');
  return true;
}

async function say(
  engine: Engine,
  execution: Execution,
  { index, attempt }: { index: number; attempt: number },
  stream: 'stdout' | 'stderr',
  source: AsyncIterable<unknown>,
): Promise<void> {
  try {
    for await (const line of lines(source)) engine.logs.task(execution, stream, line, index, attempt);
  } catch {
    // cut off at its end
  }
}
