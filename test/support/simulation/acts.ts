import type { Log } from '../../../src/engine/deps.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import type { Store } from '../../../src/ports/store.ts';
import { wrapped } from './wrapped.ts';

/** One thing that a controller did to the world. */
export interface Act {
  fence: number;
  /** Such as `jobs.start`. */
  what: string;
}

/** What changes something, by the names of the methods of all drivers. */
const ACTS = new Set(['start', 'stop', 'cancel', 'remove', 'collect', 'apply']);
/** What changes the store, other than its leases and fences. */
export const WRITES: ReadonlySet<string> = new Set([
  'saveEnvironment',
  'reserveReleaseNumbers',
  'addReleases',
  'setArtifact',
  'ensureDeployments',
  'giveAddresses',
  'takeAddresses',
  'createRollout',
  'saveRollout',
  'addRequest',
  'decideRuns',
  'addRun',
  'cancelRun',
  'saveRun',
  'resize',
  'overrideScale',
]);

/** Tells of every act at the moment at which it happens. */
export function witnessed<T extends object>(driver: T, told: (method: string) => void): T {
  return intercepted(driver, ACTS, (method) => told(method));
}

/** The store as the controller of this fence has it, after `actAs`: it refuses once a higher one was drawn. */
export function bound(store: Store, fence: number, drawn: () => number): Store {
  return intercepted(store, WRITES, () => {
    if (drawn() > fence)
      throw new EvenkeelError({ code: 'store-fenced', what: 'Another controller acts.', retryable: true, exit: 2 });
  });
}

/** The store as it is reached over a network that may be down. */
export function reachable(store: Store, isAway: () => boolean): Store {
  return intercepted(store, null, () => {
    if (isAway()) throw new EvenkeelError({ code: 'store-busy', what: 'The store is away.', retryable: true, exit: 2 });
  });
}

function intercepted<T extends object>(
  driver: T,
  methods: ReadonlySet<string> | null,
  before: (method: string) => void,
): T {
  return wrapped(driver, (value, key, target) => {
    if (methods?.has(key) === false) return (...args) => Reflect.apply(value, target, args);
    // Not a promise of its own: whoever calls from outside does so through an unreliable world, which makes one.
    return (...args) => {
      before(key);
      return Reflect.apply(value, target, args);
    };
  });
}

/** The methods of leases alone, bound to the store that has them. */
export const leaseOf = (store: Store): Pick<Store, 'lease' | 'takeLease' | 'renewLease' | 'giveUpLease'> => ({
  lease: () => store.lease(),
  takeLease: (request) => store.takeLease(request),
  renewLease: (held) => store.renewLease(held),
  giveUpLease: (held) => store.giveUpLease(held),
});

const nothing = (): void => undefined;
export const quietLog: Log = { info: nothing, warn: nothing, error: nothing };
