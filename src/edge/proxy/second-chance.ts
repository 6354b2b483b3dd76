import type { LiveInstance } from '../live/instance.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import type { UpstreamFailure } from '../upstream/connection.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Instances tried for a request of which nothing was sent; after that it waits, or is given up. */
const MAX_ATTEMPTS = 3;

/** What to do with a request that got no reply: ask somebody, wait for somebody, or give up. */
export type SecondChance = { readonly release: LiveRelease; readonly instance: LiveInstance } | 'wait' | 'give-up';

/** Whether asking twice does no harm. */
export const isRepeatable = (method: string | undefined, hasBody: boolean): boolean =>
  !hasBody && IDEMPOTENT.has(method ?? '');

/**
 * A request of which nothing was sent may go to anybody. One that was sent may be sent once more, if sending it twice
 * does no harm and its connection was a kept one that was closed before a byte of reply: servers close idle connections
 * just when they are used. Even then it goes to the same instance: should it be the request itself that ends whoever
 * reads it, it must not be carried from one instance to the next until none is left.
 */
export function secondChance(failed: {
  readonly failure: UpstreamFailure;
  readonly attempts: number;
  /** It was sent before. */
  readonly sent: boolean;
  readonly repeatable: boolean;
  readonly service: LiveService;
  readonly release: LiveRelease;
  readonly instance: LiveInstance | null;
  /** Only this release will do (a preview). */
  readonly pinned: boolean;
}): SecondChance {
  const { failure, attempts, service, release, instance } = failed;
  if (failed.sent) return 'give-up';
  if (failure === 'stale') return failed.repeatable && instance !== null ? { release, instance } : 'give-up';
  if (failure !== 'connect' || attempts >= MAX_ATTEMPTS) return 'give-up';
  const again = release.pick(instance);
  // An instance that could not be reached is not asked again at once.
  if (again !== null && again !== instance) return { release, instance: again };
  if (failed.pinned) return 'give-up';
  for (const { release: name } of service.shares) {
    const other = service.releases.get(name);
    const standIn = other === release ? null : (other?.pick(null) ?? null);
    if (other !== undefined && standIn !== null) return { release: other, instance: standIn };
  }
  return 'wait';
}
