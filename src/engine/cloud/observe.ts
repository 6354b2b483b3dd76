import type { Kind, Observed } from '../../domain/cloud/resource.ts';
import type { Cloud, CloudProblem, Look } from '../../ports/cloud.ts';

export interface Unknown {
  kind: Kind;
  problem: CloudProblem;
}

/** What is there, and of which kinds nothing is known. */
export interface Sight {
  observed: Observed[];
  unknown: Unknown[];
}

export interface ObserveOptions {
  /** For each kind, ms. */
  deadlineMs: number;
  signal: AbortSignal;
  /** Also how much is in each bucket, which costs a call for each. */
  sizes?: boolean;
  /** As soon as something is known of a kind. */
  onLook?: (look: Look) => void;
}

/** A driver keeps the deadline itself; one that does not is left after this many ms more. */
const GRACE_MS = 500;

/**
 * Looks at these kinds at once. One that does not answer in time, or refuses, is unknown, and holds nobody up: this
 * resolves within the deadline whatever the provider does. Throws when `signal` fires, and what the driver throws.
 */
export async function observe(cloud: Cloud, kinds: readonly Kind[], options: ObserveOptions): Promise<Sight> {
  const sight: Sight = { observed: [], unknown: [] };
  const asked = new Set(kinds);
  if (asked.size === 0) return sight;
  const late = new AbortController();
  const signal = AbortSignal.any([options.signal, late.signal]);
  const how = { deadlineMs: options.deadlineMs, signal, sizes: options.sizes ?? false };
  const looks = cloud.look([...asked], how)[Symbol.asyncIterator]();
  const time = timer(options.deadlineMs + GRACE_MS, options.signal);
  try {
    for (;;) {
      const next = await Promise.race([looks.next(), time.over]);
      if (next === 'over' || next.done === true) break;
      const look = next.value;
      if (!asked.delete(look.kind)) continue;
      if ('resources' in look) sight.observed.push(...look.resources);
      else sight.unknown.push({ kind: look.kind, problem: look.problem });
      options.onLook?.(look);
    }
    options.signal.throwIfAborted();
  } finally {
    time.stop();
    late.abort();
    // An iterator in the middle of its work ends when that is done; nobody waits for it.
    void looks.return?.().catch(() => {});
  }
  for (const kind of asked) {
    const look = { kind, problem: noAnswer(options.deadlineMs) };
    sight.unknown.push(look);
    options.onLook?.(look);
  }
  return sight;
}

const noAnswer = (deadlineMs: number): CloudProblem => ({
  code: 'cloud-no-answer',
  message: `no answer within ${Math.round(deadlineMs / 1000)} s`,
  next: 'try again; the provider may be slow just now',
  retryable: true,
});

/** `over` resolves when the time is up, and rejects when the signal fires. */
function timer(ms: number, signal: AbortSignal): { over: Promise<'over'>; stop(): void } {
  let stop = (): void => {};
  const over = new Promise<'over'>((resolve, reject) => {
    const timeout = setTimeout(() => resolve('over'), ms);
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', abort);
    };
  });
  over.catch(() => {});
  return { over, stop };
}
