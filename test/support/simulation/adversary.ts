import { EvenkeelError } from '../../../src/ports/errors.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';
import { wrapped } from './wrapped.ts';

/** What may become of one call of a driver. `late`: it has its effect long after its caller has given up. */
const FATES = [
  'refused',
  'lost-reply',
  'slow',
  'hangs',
  'twice',
  'late',
  'dies-before',
  'dies-after',
  'stops',
] as const;
export type Fate = (typeof FATES)[number];

export interface Malice {
  /** Of a call to go wrong, 0..1. */
  rate: number;
  fates: readonly Fate[];
}

export const CALM: Malice = { rate: 0, fates: FATES };
export const ANGRY: Malice = { rate: 0.02, fates: FATES };

/** What holds the process of one controller up, for good or for a while. */
export interface Life {
  dead: boolean;
  /** Resolves when it is continued; null while it is not stopped. */
  stopped: Promise<void> | null;
}

export interface AdversaryHooks {
  die(life: Life): void;
  stop(life: Life): void;
  note(what: string): void;
}

const never = new Promise<never>(() => undefined);
/** By then whoever waits for an answer has given up, as all of evenkeel's own clients do. */
const PATIENCE_MS = 10_000;

const broken = (what: string): EvenkeelError =>
  new EvenkeelError({ code: 'peer-timeout', what: `no answer: ${what}`, retryable: true, exit: 2 });

/** Holds the caller up while its process is stopped, and for ever once it is dead. */
export async function alive(life: Life): Promise<void> {
  while (life.stopped !== null) await life.stopped;
  if (life.dead) await never;
}

/**
 * A driver as one controller reaches it through an unreliable world. Its process may die or be stopped at each call, so
 * between any two steps; whatever it had begun by then has its effect or has not.
 */
export function through<T extends object>(
  driver: T,
  name: string,
  at: { life: Life; time: VirtualTime; chance: Random; malice: () => Malice; hooks: AdversaryHooks },
): T {
  const { life, time, chance, hooks } = at;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void time.after(ms, resolve));

  async function call(method: string, act: () => unknown): Promise<unknown> {
    await alive(life);
    const { rate, fates } = at.malice();
    if (!chance.chance(rate)) {
      const result = await act();
      await alive(life);
      return result;
    }
    const fate = chance.pick(fates);
    const what = `${name}.${method}`;
    hooks.note(`${what}: ${fate}`);
    const quietly = async (): Promise<void> => {
      try {
        await act();
      } catch {}
    };
    switch (fate) {
      case 'refused':
        throw broken(what);
      case 'lost-reply':
        await quietly();
        await alive(life);
        throw broken(what);
      case 'slow': {
        await wait(chance.int(1, 3_000));
        await alive(life);
        const result = await act();
        await wait(chance.int(1, 3_000));
        await alive(life);
        return result;
      }
      case 'hangs':
        await wait(PATIENCE_MS);
        await alive(life);
        throw broken(what);
      case 'twice': {
        const result = await act();
        void wait(chance.int(1, 5_000)).then(quietly);
        await alive(life);
        return result;
      }
      case 'late':
        void wait(chance.int(100, 2 * PATIENCE_MS)).then(quietly);
        await wait(100);
        await alive(life);
        throw broken(what);
      case 'dies-before':
        hooks.die(life);
        return never;
      case 'dies-after':
        await quietly();
        hooks.die(life);
        return never;
      case 'stops': {
        hooks.stop(life);
        await alive(life);
        const result = await act();
        await alive(life);
        return result;
      }
    }
  }

  return wrapped(driver, (value, key, target) => {
    const bound = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
    return SYNCHRONOUS.has(key) ? bound : (...args) => call(key, () => bound(...args));
  });
}

/** These only compute. */
const SYNCHRONOUS = new Set(['artifactPath', 'now', 'close']);
