import { describe, expect, test } from 'vitest';
import { countsReport } from '../../src/domain/analysis/counts-test.ts';
import { mergeEvidence, noEvidence } from '../../src/domain/analysis/evidence-store.ts';
import type { Observed } from '../../src/domain/rollout/observed.ts';
import { awaitsCounts } from '../../src/domain/rollout/late-counts.ts';
import { aPart, aRollout, minute } from '../support/rollout/builders.ts';

const END = 100 * minute;

function looked(countedUntil: number | null): Parameters<typeof awaitsCounts> {
  const key = 'r1/api';
  const mark = { rollout: key, epoch: 'cloud', sequence: 1 };
  const evidence =
    countedUntil === null
      ? noEvidence(key)
      : mergeEvidence(noEvidence(key), countsReport([], { ...mark, countedUntil }));
  const analysis = { api: { slow: null, evidence, windowStart: null, verdict: null } };
  const rollout = { ...aRollout({ services: [aPart('api')] }), analysis };
  const observed = { services: { api: { evidence } } } as unknown as Observed;
  return [rollout, observed, END, END + minute];
}

describe('counts that come late', () => {
  test('are waited for until they reach the end of what is judged', () => {
    expect(awaitsCounts(...looked(END - 1))).toBe(true);
    expect(awaitsCounts(...looked(END))).toBe(false);
  });

  test('are not waited for for ever', () => {
    const [rollout, observed, until] = looked(END - 1);
    expect(awaitsCounts(rollout, observed, until, END + 10 * minute)).toBe(false);
  });

  test('nobody waits where all is counted at once', () => {
    expect(awaitsCounts(...looked(null))).toBe(false);
  });
});
