import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidenceReportSchema, storedEvidenceSchema } from '../../src/domain/analysis/evidence-schema.ts';
import {
  armSince,
  EMPTY_ARM,
  mergeEvidence,
  noEvidence,
  sumEvidence,
} from '../../src/domain/analysis/evidence-store.ts';
import type { EvidenceReport } from '../../src/domain/analysis/evidence.ts';

/** One life of an edge: reports whose counts only grow. */
function life(epoch: string, increments: readonly number[]): EvidenceReport[] {
  let sum = 0;
  return increments.map((increment, sequence) => {
    sum += increment;
    const weights = [
      { weight: 10, canary: sum, baseline: 2 * sum },
      { weight: 50, canary: 0, baseline: sum },
    ];
    const arm = {
      requests: 20 * sum,
      sessions: 10 * sum,
      bad: sum,
      slowP75: 0,
      slowP95: 0,
      ttfb: sum > 0 ? [40, sum] : [],
    };
    return {
      epoch,
      sequence,
      rollout: 'r1',
      metrics: { errors: weights, slowP75: [], slowP95: [] },
      arms: { canary: arm, baseline: arm },
    };
  });
}

const lives = fc
  .array(fc.array(fc.nat(50), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
  .map((all) => all.map((increments, i) => life(i === 0 ? 'constructor' : `epoch-${i}`, increments)));

const merge = (reports: readonly EvidenceReport[]) => reports.reduce(mergeEvidence, noEvidence('r1'));

describe('merging evidence', () => {
  it('counts everything once, in whatever order and how often the reports arrive', () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.nat()), (all, chance) => {
        const reports = all.flat();
        const delivered = [...reports, ...reports]
          .map((report) => ({ report, at: chance.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ report }) => report);
        const truth = all.reduce((sum, reports_) => sum + (reports_.at(-1)?.arms.canary.bad ?? 0), 0);
        const totals = sumEvidence(merge(delivered));
        expect(totals.arms.canary.bad).toBe(truth);
        expect(totals.arms.baseline.requests).toBe(20 * truth);
        expect(totals.metrics.errors).toEqual([
          { weight: 10, canary: truth, baseline: 2 * truth },
          { weight: 50, canary: 0, baseline: truth },
        ]);
        expect(totals.arms.canary.ttfb).toEqual(truth > 0 ? [40, truth] : []);
      }),
    );
  });

  it('loses nothing with a lost report as soon as the next arrives, nor with a controller that stores and reads back', () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.boolean()), (all, lost) => {
        const delivered = all.flatMap((reports) =>
          reports.filter((_, i) => i === reports.length - 1 || !lost.next().value),
        );
        const crashing = delivered.reduce(
          (stored, report) => mergeEvidence(storedEvidenceSchema.parse(JSON.parse(JSON.stringify(stored))), report),
          noEvidence('r1'),
        );
        expect(sumEvidence(crashing)).toEqual(sumEvidence(merge(all.flat())));
      }),
    );
  });

  it('says by identity that a report changed nothing', () => {
    const [first, second] = life('a', [1, 2]);
    if (first === undefined || second === undefined) throw new Error('two reports');
    const stored = merge([first, second]);
    expect(mergeEvidence(stored, first)).toBe(stored);
    expect(mergeEvidence(stored, second)).toBe(stored);
    expect(mergeEvidence(stored, { ...second, rollout: 'r2', sequence: 9 })).toBe(stored);
  });

  it('never sees less than nothing between two looks', () => {
    const [first, second] = life('a', [3, 4]).map((report) => report.arms.canary);
    if (first === undefined || second === undefined) throw new Error('two looks');
    expect(armSince(second, first)).toEqual({ ...EMPTY_ARM, requests: 80, sessions: 40, bad: 4, ttfb: [40, 4] });
    expect(armSince(first, second)).toEqual(EMPTY_ARM);
  });

  it('refuses reports with counts that are none', () => {
    const [report] = life('a', [1]);
    const broken = {
      ...report,
      metrics: { errors: [{ weight: 10, canary: -1, baseline: 0 }], slowP75: [], slowP95: [] },
    };
    expect(evidenceReportSchema.safeParse(report).success).toBe(true);
    expect(evidenceReportSchema.safeParse(broken).success).toBe(false);
    expect(evidenceReportSchema.safeParse({ ...report, epoch: '__proto__' }).success).toBe(false);
  });
});
