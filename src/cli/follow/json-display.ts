import type { Output } from '../output.ts';
import type { Display } from './display.ts';

/** For programs: every event as it came, one line each. */
export function jsonDisplay(out: Pick<Output, 'data'>): Display {
  return {
    event: (event) => out.data(event),
    silent: () => {},
    end: () => {},
  };
}
