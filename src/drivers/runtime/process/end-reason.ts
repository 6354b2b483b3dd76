import { constants } from 'node:os';
import type { EndReason } from '../../../domain/instance/instance.ts';
import type { EndRecord } from './folder.ts';

/** A shell's exit codes for a command it could not run tell that only of a command that ended soon (ms). */
const SOON = 10_000;

const NAMES = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));

export function signalName(number: number): string {
  return NAMES.get(number) ?? `signal ${number}`;
}

/** Nobody asked for this end, so what was said before it matters. */
export const endedBadly = (end: EndReason, stopRequested: boolean): boolean =>
  !stopRequested && !(end.kind === 'exit' && end.code === 0);

/** Why an instance ended, of the record of its end and how long it lived (ms). */
export function endReason(
  { end, stopRequested }: { end: EndRecord; stopRequested: boolean },
  livedMs: number,
): EndReason {
  if ('startFailed' in end) return { kind: 'start-failed', detail: end.startFailed };
  if ('unknown' in end) return { kind: 'unknown', detail: end.unknown };
  const killed = end.signalled ? end.code === 128 + constants.signals.SIGKILL : end.code === 137;
  // The kernel kills the largest process; a parent that then gives up says so by an exit code of its own.
  if (end.oom > 0 && (killed || (end.code !== 0 && !stopRequested))) return { kind: 'out-of-memory' };
  if (end.signalled) return { kind: 'signal', signal: signalName(end.code - 128) };
  if (end.code === 127 && livedMs < SOON) return { kind: 'start-failed', detail: 'command not found (exit code 127)' };
  if (end.code === 126 && livedMs < SOON)
    return { kind: 'start-failed', detail: 'command may not be executed (exit code 126)' };
  return { kind: 'exit', code: end.code };
}
