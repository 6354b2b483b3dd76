import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIELDS } from './streams/fields.ts';
import { FRAMES } from './streams/frames.ts';
import { PSEUDO } from './streams/pseudo.ts';
import { VALUES } from './streams/values.ts';
import { noOpenssl } from '../support/certificates.ts';
import { excess, isPartOf, summary } from '../support/corpus/compare.ts';
import { markOf } from '../support/corpus/exchange.ts';
import { startSides } from '../support/corpus/sides.ts';
import type { Side } from '../support/corpus/sides.ts';
import { sendStreams } from '../support/corpus/stream-exchange.ts';
import type { StreamOutcome } from '../support/corpus/stream-exchange.ts';

/** In HTTP/2 a field may hold any byte; behind the edge the same bytes end lines and requests. */
const CASES = [...FIELDS, ...VALUES, ...PSEUDO, ...FRAMES];

let sides: readonly Side[] = [];
let ours: readonly StreamOutcome[] = [];
let theirs: readonly { name: string; outcomes: readonly StreamOutcome[] }[] = [];

beforeAll(async () => {
  if (noOpenssl !== null) return;
  sides = await startSides();
  const sends = CASES.map(({ send }) => send);
  const all = await Promise.all(
    sides.map(async ({ name, tlsPort, recorder }) => ({ name, outcomes: await sendStreams(tlsPort, sends, recorder) })),
  );
  ours = all[0]?.outcomes ?? [];
  theirs = all.slice(1);
}, 120_000);

afterAll(async () => {
  for (const side of sides) await side.stop();
});

describe.skipIf(noOpenssl !== null)('in HTTP/2', () => {
  test.each(CASES.map((each, index) => ({ ...each, index })))('$name', (each) => {
    const { index, watch = [] } = each;
    const { answers = [], requests = [], wrong = [] } = ours[index] ?? {};
    expect(wrong).toEqual([]);
    const reached = requests.map((request) => summary(request, markOf(index)));
    if (each.perhaps === true) expect([reached, isPartOf(reached, each.reaches)]).toEqual([reached, true]);
    else expect(reached).toEqual(each.reaches);
    // A goodbye is lost when the connection ends while the client still sends.
    expect(answers).toEqual(each.answers.filter((answer) => !answer.startsWith('goaway') || answers.includes(answer)));
    if (theirs.length < 2) return;
    const excesses = theirs.map(
      ({ name, outcomes }) => [name, excess(requests, outcomes[index]?.requests ?? [], watch)] as const,
    );
    const alone = excesses.every(([, why]) => why !== null);
    expect([excesses, alone]).toEqual([excesses, each.differs !== undefined]);
  });

  test('leaves nothing behind on connections that others use', () => {
    expect(sides[0]?.recorder.recorded.get('')).toBe(undefined);
  });
});
