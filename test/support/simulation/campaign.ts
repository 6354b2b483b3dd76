import { expect } from 'vitest';
import { play, type Played } from './history.ts';

export interface Campaign {
  histories: number;
  rollouts: number;
  promoted: number;
  takenBack: number;
  contracted: number;
  /** Histories a second. */
  rate: number;
}

/** How the end of a story and the way to see it again look in a failing test. */
export function told({ seed, story, broken }: Played): string {
  return [
    `seed ${seed} broke a rule: ${broken?.message ?? ''}`,
    ...story.slice(-60),
    `again: SIMULATION_SEED=${seed} npm test -- test/simulation/histories-1.test.ts`,
  ].join('\n');
}

/** Plays `count` histories from the seed `first` on. Throws with the story of the first that breaks a rule. */
export async function campaign(first: number, count: number, several?: number): Promise<Campaign> {
  const began = performance.now();
  const sums = { rollouts: 0, promoted: 0, takenBack: 0, contracted: 0 };
  const { stackTraceLimit } = Error;
  // The failures of a history number thousands, and a seventh of its time went into where each was made.
  if (count > 1) Error.stackTraceLimit = 0;
  try {
    for (let seed = first; seed < first + count; seed++) {
      const played = await play(seed, several);
      if (played.broken !== null) throw new Error(told(played));
      sums.rollouts += played.rollouts;
      sums.promoted += played.promoted;
      sums.takenBack += played.takenBack;
      sums.contracted += played.contracted;
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return { histories: count, ...sums, rate: (count / (performance.now() - began)) * 1000 };
}

/** `SIMULATION_HISTORIES` for more or fewer of them in each of the two files, `SIMULATION_SEED` for one again. */
const HISTORIES = Number(process.env['SIMULATION_HISTORIES'] ?? 5_000);
const SEED = process.env['SIMULATION_SEED'] === undefined ? null : Number(process.env['SIMULATION_SEED']);

/** One of the two halves of what every test run plays; prints how fast it went. */
export async function playHalf(half: 1 | 2): Promise<void> {
  const first = SEED ?? (half === 1 ? 1 : 1_000_001);
  const seen = await campaign(first, SEED === null ? HISTORIES : 1);
  console.log(
    `${seen.histories} histories (${seen.rate.toFixed(0)}/s): ${seen.rollouts} rollouts, ${seen.promoted} promoted, ${seen.takenBack} taken back, ${seen.contracted} contracted`,
  );
  // A simulator in which nothing happens keeps every rule.
  if (SEED !== null) return;
  expect(seen.promoted).toBeGreaterThan(HISTORIES / 4);
  expect(seen.takenBack).toBeGreaterThan(HISTORIES / 4);
  expect(seen.contracted).toBeGreaterThan(HISTORIES / 10);
}
