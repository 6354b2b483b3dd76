import type { Order } from '../checkpoints/order.ts';
import { MOMENTS } from '../checkpoints/order.ts';

/**
 * What the system is doing when it dies.
 * - `good`: a release that is promoted after a canary of two steps, and its window ends.
 * - `bad`: one whose canary the verdict takes back.
 * - `bad-later`: one without canary, which the verdict takes back in its window.
 * - `promote`, `abort`, `rollback`: a person asks for it.
 * - `hand-over`: a new edge takes over during a canary, which is promoted then.
 */
export type Play = 'good' | 'bad' | 'bad-later' | 'promote' | 'abort' | 'rollback' | 'hand-over';

export interface Cell {
  readonly play: Play;
  readonly order: Order;
}

const atEach = (play: Play, part: Order['part'], of: string, nth = 1): Cell[] =>
  MOMENTS.map((moment) => ({ play, order: { part, moment, of, nth } }));

const PHASES = ['pending', 'building', 'starting', 'migrating', 'verifying', 'canary', 'promoting', 'watching'];

/** The controller, at every transition of a rollout and at every request of a person. */
export const CONTROLLER: readonly Cell[] = [
  ...PHASES.flatMap((phase) => atEach('good', 'controller', phase)),
  ...atEach('good', 'controller', 'canary', 2),
  ...atEach('good', 'controller', 'complete'),
  ...atEach('bad', 'controller', 'failed'),
  ...atEach('bad-later', 'controller', 'rolled-back'),
  ...atEach('promote', 'controller', 'request promote'),
  ...atEach('abort', 'controller', 'request abort'),
  ...atEach('abort', 'controller', 'aborted'),
  ...atEach('rollback', 'controller', 'request rollback'),
  ...atEach('rollback', 'controller', 'rolled-back'),
];

/** The controller again, which stands still for three seconds and then goes on as if nothing had been. */
export const FROZEN: readonly Cell[] = [
  ...['migrating', 'canary', 'promoting'].map((of) => ({ play: 'good' as const, of })),
  { play: 'bad' as const, of: 'failed' },
  { play: 'rollback' as const, of: 'request rollback' },
  { play: 'rollback' as const, of: 'rolled-back' },
].flatMap(({ play, of }) =>
  (['before', 'between'] as const).map((moment) => ({
    play,
    order: { part: 'controller' as const, moment, of, freezeMs: 3_000 },
  })),
);

/** The edge, each time that it is given another table: the release is added, has 10 %, 50 %, all, and is taken back. */
export const EDGE: readonly Cell[] = [
  ...[1, 2, 3, 4].flatMap((nth) => atEach('good', 'edge', 'table', nth)),
  ...atEach('bad', 'edge', 'table', 3),
  ...atEach('rollback', 'edge', 'table', 3),
];

/** The keeper, whenever it writes down who runs, and while it puts one edge in the place of another. */
export const KEEPER: readonly Cell[] = [
  ['keeper.json', 1] as const,
  ['keeper.json', 2] as const,
  ['listen-all', 1] as const,
  ['drain', 1] as const,
].flatMap(([of, nth]) =>
  (['before', 'between'] as const).map((moment) => ({
    play: 'hand-over' as const,
    order: { part: 'keeper' as const, moment, of, nth },
  })),
);

export const named = ({ play, order: { part, moment, of, nth = 1, freezeMs } }: Cell): string =>
  `${part}${freezeMs === undefined ? '' : ` stopped for ${freezeMs} ms`}, ${moment} ${of}${nth > 1 ? ` (${nth})` : ''}, ${play}`;
