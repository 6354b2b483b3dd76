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
  const timer = setInterval(() => {
    tick++;
    draw();
  }, FRAME_MS);
  const forget = interrupt.onQuit(() => block.end());
  return {
    event: (_, next) => void (state = next),
    silent: (ms) => void (silentMs = ms),
    end() {
      clearInterval(timer);
      if (state.rollout !== null) draw();
      block.end();
      forget();
    },
  };
}
