import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHUNKS } from './cases/chunks.ts';
import { CONNECTIONS } from './cases/connections.ts';
import { HEADS } from './cases/heads.ts';
import { LENGTHS } from './cases/lengths.ts';
import { TARGETS } from './cases/targets.ts';
import { noOpenssl } from '../support/certificates.ts';
import { excess, isPartOf, summary } from '../support/corpus/compare.ts';
import { markOf, sendAll } from '../support/corpus/exchange.ts';
import type { Outcome } from '../support/corpus/exchange.ts';
import { startSides } from '../support/corpus/sides.ts';
import type { Side } from '../support/corpus/sides.ts';

/** Some bytes mean different things to different servers. Whoever stands in front must not let them through. */
const CASES = [...LENGTHS, ...CHUNKS, ...HEADS, ...TARGETS, ...CONNECTIONS];

let sides: readonly Side[] = [];
let ours: readonly Outcome[] = [];
let theirs: readonly { name: string; outcomes: readonly Outcome[] }[] = [];

beforeAll(async () => {
  if (noOpenssl !== null) return;
  sides = await startSides();
  const all = await Promise.all(
    sides.map(async ({ name, port, recorder }) => ({ name, outcomes: await sendAll(port, CASES, recorder) })),
  );
  ours = all[0]?.outcomes ?? [];
  theirs = all.slice(1);
}, 120_000);

afterAll(async () => {
  for (const side of sides) await side.stop();
});

describe.skipIf(noOpenssl !== null)('in HTTP/1.1', () => {
  test.each(CASES.map((each, index) => ({ ...each, index })))('$name', (each) => {
    const { index, watch = [] } = each;
    const { answers = [], requests = [], wrong = [] } = ours[index] ?? {};
    // What reaches an instance means one thing, to the strictest of all servers.
    expect(wrong).toEqual([]);
    const reached = requests.map((request) => summary(request, markOf(index)));
    if (each.perhaps === true) expect([reached, isPartOf(reached, each.reaches)]).toEqual([reached, true]);
    else expect(reached).toEqual(each.reaches);
    expect(answers).toEqual(each.answers);
    if (theirs.length < 2) return;
    const excesses = theirs.map(
      ({ name, outcomes }) => [name, excess(requests, outcomes[index]?.requests ?? [], watch)] as const,
    );
    const alone = excesses.every(([, why]) => why !== null);
    // An explanation that explains nothing is as wrong as none.
    expect([excesses, alone]).toEqual([excesses, each.differs !== undefined]);
  });

  test('leaves nothing behind on connections that others use', () => {
    expect(sides[0]?.recorder.recorded.get('')).toBe(undefined);
  });
});
