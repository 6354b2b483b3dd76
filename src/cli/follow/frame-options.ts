import type { Style } from '../screen/style.ts';

/** What a frame is drawn for. */
export interface FrameOptions {
  style: Style;
  columns: number;
  /** Counts up with every frame, for what turns. */
  tick: number;
  now: number;
  /** For how long the controller has not answered, ms; 0: it does. */
  silentMs: number;
}
