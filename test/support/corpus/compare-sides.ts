import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noOpenssl } from '../certificates.ts';
import { excess, isPartOf, summary } from './compare.ts';
import { markOf } from './exchange.ts';
import { type Side, startSides } from './sides.ts';
import type { Heard } from './strict-reader.ts';

/** What a case of either corpus says of what becomes of it; see `test/corpus/cases/case.ts`. */
interface Expected {
  readonly name: string;
  readonly reaches: readonly string[];
  readonly perhaps?: true;
  readonly watch?: readonly string[];
  readonly differs?: string;
}

interface Outcome<Answer> {
  readonly answers: readonly Answer[];
  readonly requests: readonly Heard[];
  readonly wrong: readonly string[];
}

export interface Exchange<Case, Answer> {
  /** Sends all cases through one side; answers what became of each. */
  send(side: Side): Promise<readonly Outcome<Answer>[]>;
  /** What our edge must have answered, where these were heard. */
  answers(each: Case, heard: readonly Answer[]): readonly Answer[];
}

/** A test for each case: what reaches an instance through our edge is as it says, and no more than through the others. */
export function compareSides<Case extends Expected, Answer>(
  what: string,
  cases: readonly Case[],
  exchange: Exchange<Case, Answer>,
): void {
  let sides: readonly Side[] = [];
  let ours: readonly Outcome<Answer>[] = [];
  let theirs: readonly { name: string; outcomes: readonly Outcome<Answer>[] }[] = [];

  beforeAll(async () => {
    if (noOpenssl !== null) return;
    sides = await startSides();
    const all = await Promise.all(
      sides.map(async (side) => ({ name: side.name, outcomes: await exchange.send(side) })),
    );
    ours = all[0]?.outcomes ?? [];
    theirs = all.slice(1);
  }, 120_000);

  afterAll(async () => {
    for (const side of sides) await side.stop();
  });

  describe.skipIf(noOpenssl !== null)(what, () => {
    test.each(cases.map((each, index) => ({ name: each.name, each, index })))('$name', ({ each, index }) => {
      const { watch = [], reaches } = each;
      const { answers = [], requests = [], wrong = [] } = ours[index] ?? {};
      // What reaches an instance means one thing, to the strictest of all servers.
      expect(wrong).toEqual([]);
      const reached = requests.map((request) => summary(request, markOf(index)));
      if (each.perhaps === true) expect([reached, isPartOf(reached, reaches)]).toEqual([reached, true]);
      else expect(reached).toEqual(reaches);
      expect(answers).toEqual(exchange.answers(each, answers));
      if (theirs.length < 2) return;
      const excesses = theirs.map(
        ({ name, outcomes }) => [name, excess(requests, outcomes[index]?.requests ?? [], watch)] as const,
      );
      const alone = excesses.every(([, why]) => why !== null);
      // An explanation that explains nothing is as wrong as none, but where it is a matter of moments.
      const explained = each.differs !== undefined && (alone || each.perhaps !== true);
      expect([excesses, alone]).toEqual([excesses, explained]);
    });

    test('leaves nothing behind on connections that others use', () => {
      expect(sides[0]?.recorder.recorded.get('')).toBe(undefined);
    });
  });
}
