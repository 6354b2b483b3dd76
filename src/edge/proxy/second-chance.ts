import type { LiveInstance } from '../live/instance.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import type { UpstreamFailure } from '../upstream/connection.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Connections tried for one request: the first, a fresh one after a stale one, another instance after a dead one. */
const MAX_ATTEMPTS = 3;

/** What to do with a request that got no reply: ask somebody, wait for somebody, or give up. */
export type SecondChance = { readonly release: LiveRelease; readonly instance: LiveInstance } | 'wait' | 'give-up';

/** Whether asking twice does no harm. */
export const isRepeatable = (method: string | undefined, hasBody: boolean): boolean =>
  !hasBody && IDEMPOTENT.has(method ?? '');

/**
 * A request is sent again only if nothing of it was sent before, or if sending it twice does no harm and nothing of a
 * reply came. A stale connection says nothing about its instance; a dead instance is passed over.
 */
export function secondChance(failed: {
  readonly failure: UpstreamFailure;
  readonly attempts: number;
  readonly repeatable: boolean;
  readonly service: LiveService;
  readonly release: LiveRelease;
  readonly instance: LiveInstance | null;
  /** Only this release will do (a preview). */
  readonly pinned: boolean;
}): SecondChance {
  const { failure, attempts, service, release, instance } = failed;
  const unsent = failure === 'connect';
  const mayRepeat = failed.repeatable && (failure === 'stale' || failure === 'closed');
  if (attempts >= MAX_ATTEMPTS || (!unsent && !mayRepeat)) return 'give-up';
  const again = failure === 'stale' ? release.pick(null) : release.pick(instance);
  // Only an instance that could not be reached is not asked again at once.
  if (again !== null && !(unsent && again === instance)) return { release, instance: again };
  if (!unsent || failed.pinned) return 'give-up';
  for (const { release: name } of service.shares) {
    const other = service.releases.get(name);
    const standIn = other === release ? null : (other?.pick(null) ?? null);
    if (other !== undefined && standIn !== null) return { release: other, instance: standIn };
  }
  return 'wait';
}
