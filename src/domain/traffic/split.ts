import { hashToPercent } from '../../lib/hash.ts';
import type { EdgeService } from './protocol.ts';

/** A release's part of the line [0, 100) on which sessions lie: [from, to). */
export interface Share {
  readonly release: string;
  readonly from: number;
  readonly to: number;
}

/** `api@42` -> 42; what carries no number sorts first. */
const numberOf = (release: string): number => {
  const number = Number(release.slice(release.lastIndexOf('@') + 1));
  return Number.isFinite(number) ? number : -1;
};

/**
 * Lays a service's releases out on [0, 100): the canary first, from 0, so that raising its weight moves exactly the
 * sessions between the old and the new value and no others. Outside a rollout the newest release takes its place.
 * Releases with weight 0 have no share.
 */
export function layOut(service: Pick<EdgeService, 'releases' | 'split'>): Share[] {
  const canary = service.split?.canary;
  const ordered = service.releases
    .filter((release) => release.weight > 0)
    .toSorted(
      (a, b) =>
        Number(b.release === canary) - Number(a.release === canary) || numberOf(b.release) - numberOf(a.release),
    );
  let from = 0;
  return ordered.map(({ release, weight }, index) => {
    // The last share ends at 100 exactly: sums of fractions must leave no session without a release.
    const to = index === ordered.length - 1 ? 100 : from + weight;
    const share = { release, from, to };
    from = to;
    return share;
  });
}

/** The release that owns a session, or null when no release has any weight. */
export function ownerOf(shares: readonly Share[], sessionHash: number): string | null {
  const at = hashToPercent(sessionHash);
  for (const share of shares) if (at < share.to) return share.release;
  return null;
}
