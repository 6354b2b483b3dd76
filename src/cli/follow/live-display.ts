import { liveBlock } from '../screen/live-block.ts';
import type { Context } from '../context.ts';
import type { Display } from './display.ts';
import { frame } from './frame.ts';
import { NOTHING_YET } from './state.ts';

const FRAME_MS = 120;

/** On a terminal: a block that is redrawn in place. */
export function liveDisplay({ deps, out, interrupt }: Context): Display {
  const block = liveBlock(deps.stdout);
  let state = NOTHING_YET;
  let silentMs = 0;
  let tick = 0;
  const draw = (): void =>
    block.draw(frame(state, { style: out.style, columns: out.columns(), tick, now: deps.now(), silentMs }));
  let broken: Error | null = null;
  const timer = setInterval(() => {
    tick++;
    try {
      draw();
    } catch (error) {
      // Thrown here nobody could catch it, and it would be written into the picture.
      broken = asError(error);
      clearInterval(timer);
    }
  }, FRAME_MS);
  const forget = interrupt.onQuit(() => block.end());
  return {
    event(event, next) {
      state = next;
      if (broken !== null) throw broken;
      if (event.type !== 'rollout') return;
      try {
        draw();
      } catch (error) {
        broken = asError(error);
        throw broken;
      }
    },
    silent: (ms) => void (silentMs = ms),
    end() {
      clearInterval(timer);
      if (state.rollout !== null && broken === null) draw();
      block.end();
      forget();
    },
  };
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
