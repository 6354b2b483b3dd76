import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GoogleHttp } from '../../../src/platform/google/http.ts';
import { settled } from '../../../src/platform/google/operations.ts';
import { type Attempt, MOST_TRIES, pollPause, retryDelay } from '../../../src/platform/google/retry.ts';

const attempt: Attempt = { status: 503, reason: null, retryAfter: null, tries: 1, once: false };
const by = { now: 1_700_000_000_000, random: 0.5, first: 500 };

describe('trying again', () => {
  test('waits at least as long as Retry-After asks, in seconds or as a date', () => {
    expect(retryDelay({ ...attempt, retryAfter: '7' }, { ...by, random: 0 })).toBe(7_000);
    const date = new Date(by.now + 5_000).toUTCString();
    expect(retryDelay({ ...attempt, retryAfter: date }, { ...by, random: 0 })).toBe(5_000);
    expect(retryDelay({ ...attempt, retryAfter: 'soon' }, { ...by, random: 0 })).toBe(0);
  });

  test('whoever is asked to come back in an hour is told so, and does not wait in silence', () => {
    expect(retryDelay({ ...attempt, retryAfter: '3600' }, by)).toBeNull();
    expect(retryDelay({ ...attempt, retryAfter: new Date(by.now + 3_600_000).toUTCString() }, by)).toBeNull();
  });

  test('a refusal is tried again even where twice would do harm; what may have been done is not', () => {
    for (const status of [429, 503]) expect(retryDelay({ ...attempt, status, once: true }, by)).not.toBeNull();
    for (const status of [null, 500, 502, 504]) {
      expect(retryDelay({ ...attempt, status, once: true }, by)).toBeNull();
      expect(retryDelay({ ...attempt, status, once: false }, by)).not.toBeNull();
    }
  });

  test('whoever has no network learns it after a few tries, and a moment without one in the middle of it is sat out', () => {
    const lost = { ...attempt, status: null, tries: 4 };
    expect(retryDelay({ ...lost, alone: true }, by)).toBeNull();
    expect(retryDelay(lost, by)).not.toBeNull();
  });

  test('what cannot help is not tried: a mistake, a missing permission, what is not there', () => {
    for (const status of [400, 401, 403, 404, 409, 412]) expect(retryDelay({ ...attempt, status }, by)).toBeNull();
    expect(retryDelay({ ...attempt, status: 403, reason: 'rateLimitExceeded' }, by)).not.toBeNull();
  });

  test('the wait is anywhere below a bound that doubles up to half a minute, and there is an end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MOST_TRIES - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (tries, random) => {
          const delay = retryDelay({ ...attempt, tries }, { ...by, random }) ?? Infinity;
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(32_000, 500 * 2 ** (tries - 1)));
        },
      ),
    );
    expect(retryDelay({ ...attempt, tries: MOST_TRIES }, by)).toBeNull();
  });

  test('looks at an operation become rarer, to once in about ten seconds', () => {
    expect(pollPause(0, { first: 1000, random: 0.5 })).toBe(1000);
    expect(pollPause(50, { first: 1000, random: 1 })).toBeLessThanOrEqual(12_500);
  });
});

describe('an operation that never ends', () => {
  const waiting = { http: { pace: 1 } as GoogleHttp, doing: 'creating sql-instance/main' };
  const forever = { name: 'o', status: 'RUNNING' };

  test('is late after its deadline: that is said, with how to go on, and nothing is begun twice', async () => {
    const never = new AbortController().signal;
    const late = settled(forever, () => Promise.resolve(forever), { ...waiting, signal: never, deadlineMs: 30 });
    await expect(late).rejects.toMatchObject({
      code: 'cloud-operation-late',
      next: 'run the same again: it waits for what is under way, and begins nothing twice',
      retryable: true,
      exit: 2,
    });
  });

  test('is left by whoever stops waiting, at once', async () => {
    const leaving = new AbortController();
    const look = (): Promise<typeof forever> => {
      leaving.abort();
      return Promise.resolve(forever);
    };
    const left = settled(forever, look, { ...waiting, signal: leaving.signal, deadlineMs: 600_000 });
    await expect(left).rejects.toMatchObject({ exit: 2, retryable: true });
  });
});
