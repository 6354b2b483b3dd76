import { describe, expect, test } from 'vitest';
import type { Counted, RevisionCounts } from '../../../src/domain/cloud/run/series.ts';
import { withoutOwn } from '../../../src/domain/cloud/run/without-own.ts';
import { OwnRequests } from '../../../src/drivers/cloud-run/own-requests.ts';

const MINUTE = 60_000;

const counts = (ok: number, bad = 0, times: number[] = [3, ok + bad]): RevisionCounts => ({
  requests: ok + bad,
  classes: [0, ok, 0, 0, bad],
  times,
});

const others = (counted: Counted, own: OwnRequests): Counted =>
  withoutOwn(counted, new Set(['r1']), { own: (_, until) => own.of('one', until), periodMs: MINUTE });

describe('what evenkeel asks a canary by itself', () => {
  test('is no request of a user: neither alone, nor beside errors that it would thin out', () => {
    const own = new OwnRequests(MINUTE, 0);
    for (let at = 0; at < 2 * MINUTE; at += 2_000) own.answered('one', 200, at);
    const counted: Counted = new Map([
      [MINUTE, new Map([['r1', counts(30)]])],
      [2 * MINUTE, new Map([['r1', counts(30, 4)]])],
    ]);
    const left = others(counted, own);
    expect(left.get(MINUTE)?.get('r1')).toMatchObject({ requests: 0, times: [] });
    expect(left.get(2 * MINUTE)?.get('r1')).toMatchObject({ requests: 4, classes: [0, 0, 0, 0, 4], times: [3, 4] });
  });

  test('is taken from the next interval when it was counted there, and from none after it', () => {
    const own = new OwnRequests(MINUTE, 0);
    for (let i = 0; i < 10; i++) own.answered('one', 200, MINUTE - 1);
    const counted: Counted = new Map([
      [MINUTE, new Map([['r1', counts(7)]])],
      [2 * MINUTE, new Map([['r1', counts(2)]])],
      [3 * MINUTE, new Map([['r1', counts(5)]])],
    ]);
    const left = others(counted, own);
    expect([...left.values()].map((each) => each.get('r1')?.requests)).toEqual([0, 0, 5]);
  });

  test('takes nothing of what was refused before a program saw it, and the fastest first', () => {
    const own = new OwnRequests(MINUTE, 0);
    own.answered('one', 403, 1);
    own.answered('one', 200, 1);
    own.answered('another', 200, 1);
    const left = others(new Map([[MINUTE, new Map([['r1', counts(3, 0, [5, 2, 90, 1])]])]]), own);
    expect(left.get(MINUTE)?.get('r1')).toEqual({ requests: 2, classes: [0, 2, 0, 0, 0], times: [5, 1, 90, 1] });
  });
});
