import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAbsence } from '../engine/emergency/reads.ts';
import { awaitLease, type Tenure } from '../engine/lease.ts';
import { systemClock } from '../platform/clock.ts';
import { takeLock, type Lock } from '../platform/lock.ts';
import type { Logger } from '../platform/log.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { described } from '../ports/errors.ts';
import type { HoldsAccess } from '../ports/access-store.ts';
import type { Store } from '../ports/store.ts';
import { takeControllerLock } from './controller-lock.ts';
import { raiseFence, readFence } from './fence-file.ts';
import { aboutThisProcess, endHolder, holderName, isDeadHolder } from './lease-holder.ts';
import { openStore } from './open-store.ts';

/** How long a controller that died or hangs is waited for, ms; EVENKEEL_LEASE_MS says otherwise. */
const LEASE_MS = 6_000;
const SHORTEST_LEASE_MS = 500;
/** A former controller that holds the lock longer than this hangs: to stop takes it less. */
const LOCK_MS = 20_000;
/** A controller of an evenkeel that knew no leases yet leaves within that, ms. */
const OTHER_LEAVES_MS = 1_000;
const GIVE_UP_MS = 1_000;
/** How often the file with the fence is looked at, ms. */
const LOOK_MS = 250;
const OVERTAKEN = 'another controller acts';
const never = new Promise<never>(() => undefined);
/** How long a store that is away is tried to be opened, ms, where something is known without it. */
const OPEN_MS = 1_000;
/** Between two tries to open a store that is away, ms. */
const OPEN_AGAIN_MS = 1_000;

/** What a controller has when its turn has come. */
export interface Turn {
  /** Null: it is away. Then the turn is only to take back what people ask for, and ends when it is there again. */
  store: (Store & HoldsAccess) | null;
  tenure: Pick<Tenure, 'fence' | 'holds'>;
  /** Resolves when the turn is over, with why. */
  over: Promise<string>;
  /** This controller does nothing more: the next one may have the turn at once. */
  idle(): Promise<void>;
  /** Closes what is open. */
  end(): Promise<void>;
}

export interface TurnOptions {
  env: NodeJS.ProcessEnv;
  paths: EvenkeelPaths;
  log: Logger;
  /** Told when another one acts, and this one waits. */
  standingBy(): void;
  /** Whether anything is known that could be taken back without the store. */
  hasLastKnown(): boolean;
  /** Gives up waiting. */
  signal: AbortSignal;
}

/** Waits until it is this controller that acts. Null when the signal fires before that. Throws what `openStore` throws. */
export async function awaitTurn(options: TurnOptions): Promise<Turn | null> {
  return (options.env['EVENKEEL_DATABASE_URL'] ?? '') === '' ? byLock(options) : byLease(options);
}

/** With the store in a file the kernel says who acts: it frees the lock with the process, and not before. */
async function byLock({ env, paths, log }: TurnOptions): Promise<Turn> {
  const lock = await takeControllerLock(paths.controllerLock, { patienceMs: LOCK_MS, log });
  const store = await openStore(env, paths);
  const fence = await store.nextFence();
  store.actAs(fence);
  await raise(paths, fence, log);
  return {
    store,
    tenure: { fence, holds: () => true },
    over: never,
    // What the kernel holds is held until the end, so that the store is closed before it is opened.
    idle: async () => undefined,
    async end() {
      await store.close();
      lock.release();
    },
  };
}

async function byLease(options: TurnOptions): Promise<Turn | null> {
  const { env, paths, log, signal } = options;
  const store = await openOrAway(options);
  if (store === null || 'over' in store) return store;
  const leaseMs = Math.max(SHORTEST_LEASE_MS, Number(env['EVENKEEL_LEASE_MS'] ?? LEASE_MS) || LEASE_MS);
  let seen = '';
  const taken = await awaitLease(
    {
      store,
      clock: systemClock,
      elapsed: () => performance.now(),
      log,
      holder: randomUUID(),
      about: aboutThisProcess(),
      leaseMs,
      isDead: isDeadHolder,
    },
    signal,
    ({ about, fence }) => {
      if (seen === about) return;
      seen = about;
      log.info({ fence }, `${holderName(about)} acts; standing by`);
      options.standingBy();
    },
  );
  if (taken === null) {
    await store.close();
    return null;
  }
  const { tenure, former } = taken;
  const keeping = new AbortController();
  const lost = tenure.keep(keeping.signal);
  // A silent controller is left alone for a debugger, here as by its keeper.
  if (former !== null && env['EVENKEEL_CONTROLLER_SILENCE_MS'] !== '0' && (await endHolder(former.about)))
    log.warn({ fence: tenure.fence }, `${holderName(former.about)} let its lease run out and is killed`);
  await raise(paths, tenure.fence, log);
  const waitMs = former === null ? OTHER_LEAVES_MS : 0;
  const lock = await takeLock(paths.controllerLock, { waitMs }).catch(() => null);
  log.info({ fence: tenure.fence }, `acting${former === null ? '' : `, after fence ${former.fence}`}`);
  return {
    store,
    tenure,
    over: Promise.race([
      lost.then((kept) => (kept ? never : OVERTAKEN)),
      overtaken(paths, tenure.fence, keeping.signal),
    ]),
    async idle() {
      keeping.abort();
      // When the store is away the next one has to wait for the lease to run out.
      await Promise.race([tenure.giveUp().catch(() => undefined), sleep(GIVE_UP_MS)]);
    },
    async end() {
      keeping.abort();
      lock?.release();
      await store.close();
    },
  };
}

/** The store, or, while it is away, the turn of one that can only take back. Null when the signal fires. */
async function openOrAway(options: TurnOptions): Promise<(Store & HoldsAccess) | Turn | null> {
  const { env, paths, log, signal } = options;
  // Whoever can go on without it does so soon.
  const patience = options.hasLastKnown() ? { patienceMs: OPEN_MS } : {};
  let told = false;
  while (!signal.aborted) {
    try {
      return await openStore(env, paths, patience);
    } catch (error) {
      // Where nothing is known nobody is served by waiting: the keeper tries again, and people are told.
      if (!isAbsence(error) || !options.hasLastKnown()) throw error;
      if (!told) log.warn(`the store cannot be opened: ${described(error)}`);
      told = true;
    }
    const lock = await takeLock(paths.controllerLock, { waitMs: 0 }).catch(() => null);
    if (lock !== null) return whileAway(options, lock);
    options.standingBy();
    await systemClock.sleep(OPEN_AGAIN_MS, signal);
  }
  return null;
}

/** With the fence of whoever acted last: the edge refuses it once somebody else does. */
function whileAway({ env, paths, log, signal }: TurnOptions, lock: Lock): Turn {
  const fence = readFence(paths.fence);
  log.warn({ fence }, 'acting without the store: what is taken back is written when it is there again');
  const again = async (): Promise<string> => {
    while (!signal.aborted) {
      await systemClock.sleep(OPEN_AGAIN_MS, signal);
      const store = await openStore(env, paths, { patienceMs: OPEN_MS }).catch(() => null);
      await store?.close();
      if (store !== null) return 'the store is there again';
    }
    return never;
  };
  return {
    store: null,
    tenure: { fence, holds: () => false },
    over: again(),
    idle: async () => undefined,
    end: async () => lock.release(),
  };
}

/** One that is cut off from the store learns it from the file, as soon as it can look. */
async function overtaken(paths: EvenkeelPaths, fence: number, signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    if (readFence(paths.fence) > fence) return OVERTAKEN;
    await systemClock.sleep(LOOK_MS, signal);
  }
  return never;
}

/** On a full disk the lease and the edge's own memory hold alone. */
async function raise(paths: EvenkeelPaths, fence: number, log: Logger): Promise<void> {
  try {
    await raiseFence(paths.fence, fence);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    log.warn({ fence }, `the fence could not be written down: ${described(error)}`);
  }
}
