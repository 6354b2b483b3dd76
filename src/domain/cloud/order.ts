import { addressOf } from './resource.ts';
import type { Address, Kind } from './resource.ts';

/** In which order resources are made, and what may be made at the same time. */

interface Node {
  kind: Kind;
  name: string;
  needs: readonly Address[];
}

/**
 * A resource only ever needs one of a lower rank, so there is no circle, whatever a file says. Those of one rank may be
 * made at the same time, as far as their own needs are there.
 */
export const RANK: Readonly<Record<Kind, number>> = {
  api: 0,
  account: 1,
  repository: 1,
  bucket: 1,
  secret: 1,
  connector: 1,
  'audit-logs': 1,
  'log-retention': 1,
  budget: 1,
  cluster: 1,
  role: 2,
  'sql-instance': 2,
  'sql-database': 3,
  'sql-user': 3,
  service: 4,
  job: 4,
  'alert-channel': 1,
  'uptime-check': 5,
  'alert-policy': 6,
};

/** What may be made at once, one wave after the other: each wave needs only what the waves before it made. */
export function wavesOf<T extends Node>(resources: readonly T[]): T[][] {
  const waves: T[][] = [];
  const done = new Set<Address>();
  let left = [...resources];
  const here = new Set(left.map(addressOf));
  while (left.length > 0) {
    const ready = left.filter((each) => each.needs.every((need) => done.has(need) || !here.has(need)));
    if (ready.length === 0) throw new Error(`these need each other: ${left.map(addressOf).join(', ')}`);
    waves.push(ready);
    for (const each of ready) done.add(addressOf(each));
    left = left.filter((each) => !done.has(addressOf(each)));
  }
  return waves;
}

/** These and all that they need, in the order of `resources`. */
export function withNeeds<T extends Node>(resources: readonly T[], wanted: (each: T) => boolean): T[] {
  const byAddress = new Map(resources.map((each) => [addressOf(each), each]));
  const taken = new Set<Address>();
  const take = (each: T): void => {
    const address = addressOf(each);
    if (taken.has(address)) return;
    taken.add(address);
    for (const need of each.needs) {
      const found = byAddress.get(need);
      if (found !== undefined) take(found);
    }
  };
  for (const each of resources) if (wanted(each)) take(each);
  return resources.filter((each) => taken.has(addressOf(each)));
}
