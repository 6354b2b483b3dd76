import type { NodeChild } from './child.ts';

/** Silence is noticed this many times within the time that is allowed: late by a part of it, at hardly any cost. */
const LOOKS = 4;

export interface WatchdogOptions {
  /** How long the child may be silent, ms; 0 for ever. */
  silenceMs: number;
  /** It was silent for all of that, and has been killed. */
  hung: (reason: string) => void;
}

type Watched = Pick<NodeChild<never, unknown>, 'ping' | 'onPong' | 'exited' | 'kill'>;

/**
 * Asks a child now and then whether it is there, and kills it when it has not answered for long: one whose event loop is
 * blocked for good, or that is stopped, would hold its place for ever. Only looks that come when they should count
 * against it, since whatever held this process up (a suspended machine, a debugger, no CPU) held the child up too. A
 * child that has never answered does not know the question, and is left alone.
 */
export function watch(child: Watched, { silenceMs, hung }: WatchdogOptions): void {
  if (!(silenceMs > 0)) return;
  const pause = silenceMs / LOOKS;
  let knows = false;
  let asked = false;
  let missed = 0;
  let lookedAt = performance.now();

  const look = (): void => {
    const late = performance.now() - lookedAt > 2 * pause;
    lookedAt = performance.now();
    // One question at a time: the channel of a child that does not read would fill.
    if (!asked) {
      missed = 0;
      asked = child.ping();
    } else if (late) missed = 0;
    else if (++missed >= LOOKS && knows) {
      clearInterval(timer);
      hung(`has not answered for ${Math.round(silenceMs / 100) / 10} s and is killed`);
      child.kill('SIGKILL');
    }
  };

  child.onPong(() => {
    knows = true;
    asked = false;
  });
  const timer = setInterval(look, pause);
  void child.exited.then(() => clearInterval(timer));
  look();
}
