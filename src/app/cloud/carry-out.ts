import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import type { Address, Kind } from '../../domain/cloud/resource.ts';
import type { RunOptions, TaskEvent, TaskOutcome } from '../../engine/cloud/tasks.ts';
import { usualTime } from '../../engine/cloud/usual.ts';

export type Next = CloudResult['next'];

/** Runs something, tells its events with the time, and makes a result of what came of it. */
export async function carryOut(
  run: (options: Omit<RunOptions, 'atOnce'>) => Promise<TaskOutcome>,
  onEvent: (event: CloudEvent) => void,
  signal: AbortSignal,
  next: (outcome: TaskOutcome) => Next | Promise<Next>,
): Promise<CloudResult> {
  const started = performance.now();
  const { done, failed, skipped, left, waiting } = await run({
    signal,
    elapsed: () => performance.now(),
    onEvent: (event) => onEvent(stamped(event)),
  });
  const outcome = { done, failed, skipped, left, waiting };
  const interrupted = left.length + waiting.length > 0;
  const nothing = done.length + failed.length + skipped.length === 0;
  const kind = interrupted ? 'interrupted' : failed.length > 0 ? 'failed' : nothing ? 'nothing' : 'done';
  return {
    type: 'result',
    outcome: kind,
    exit: kind === 'interrupted' ? 130 : kind === 'failed' ? 2 : 0,
    ...outcome,
    ms: Math.round(performance.now() - started),
    next: kind === 'interrupted' ? [] : await next(outcome),
  };
}

function stamped(event: TaskEvent): CloudEvent {
  const at = Date.now();
  if (event.type === 'begun') return { ...event, at, usually: usualTime(kindOf(event.address), event.act) };
  return 'ms' in event ? { ...event, at, ms: Math.round(event.ms) } : { ...event, at };
}

export const kindOf = (address: Address): Kind => address.slice(0, address.indexOf('/')) as Kind;
