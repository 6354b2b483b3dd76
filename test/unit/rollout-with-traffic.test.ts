import { describe, expect, it } from 'vitest';
import { sumEvidence } from '../../src/domain/analysis/evidence-store.ts';
import { innerEvidenceOf } from '../../src/domain/analysis/evidence.ts';
import { decide } from '../../src/domain/rollout/decide.ts';
import { evidenceKey } from '../../src/domain/rollout/desired.ts';
import type { Observed, ServiceObserved } from '../../src/domain/rollout/observed.ts';
import type { Rollout, ServiceAnalysis } from '../../src/domain/rollout/rollout.ts';
import type { Decision } from '../../src/domain/rollout/transition.ts';
import {
  aPart,
  aPolicy,
  aRelease,
  aRollout,
  ask,
  counted,
  hour,
  minute,
  nobody,
  second,
  seenOf,
  START,
} from '../support/rollout/builders.ts';

const KEY = evidenceKey('r1', 'api');
const begun: ServiceAnalysis = { slow: null, evidence: { rollout: KEY, epochs: {} }, windowStart: null, verdict: null };
const well = (weight: number): Partial<ServiceObserved> => ({
  to: aRelease({ weight }),
  from: aRelease({ weight: 100 - weight }),
});
const good = counted(KEY, { canary: 2000, baseline: 18_000 });
const bad = counted(KEY, { canary: 400, baseline: 3600, canaryBad: 120, baselineBad: 1 });
const few = counted(KEY, { canary: 3, baseline: 27 });

const look = (
  rollout: Rollout,
  after: number,
  services: Record<string, Partial<ServiceObserved>>,
  over: Partial<Observed> = {},
): Decision => decide(rollout, seenOf(rollout, services, over), START + after);

describe('canary', () => {
  const rollout = (over: Partial<Rollout> = {}): Rollout =>
    aRollout({ phase: 'canary', verified: ['api'], analysis: { api: begun }, ...over });
  const api = (over: Partial<ServiceObserved> = {}) => ({ api: { ...well(10), ...over } });

  it('measures for as long as the step says', () => {
    expect(look(rollout(), 9 * minute, api({ evidence: good }))).toMatchObject({
      next: { phase: 'canary', step: 0 },
      journal: [],
      reason: 'canary at 10 %, step 1 of 2, for 10m',
      wakeAt: START + 10 * minute,
    });
  });

  describe('of a service that only services of the same rollout ask', () => {
    const INNER = innerEvidenceOf(KEY);
    const asked = (canaryBad: number) => counted(INNER, { canary: 2000, baseline: 2000, canaryBad, weight: 100 });
    const verdictOf = (seen: Partial<ServiceObserved>) =>
      look(rollout(), 10 * minute, api(seen)).next.analysis['api']?.verdict;

    it('holds it against its limits', () => {
      expect(verdictOf({ inner: asked(2) })).toMatchObject({ verdict: 'pass', test: 'window', canaryRequests: 2000 });
      const failed = look(rollout(), minute, api({ inner: asked(200) }));
      expect(failed.next).toMatchObject({ end: 'failed' });
      expect(failed.reason).toContain('Asked by services of this rollout alone, so held against its limits.');
    });

    it('goes by what was split by chance where there is any, and by nothing where nobody asks', () => {
      expect(verdictOf({ evidence: good, inner: asked(200) })).toMatchObject({ verdict: 'pass', test: 'owner' });
      expect(verdictOf({})).toMatchObject({ verdict: 'inconclusive', canaryRequests: 0 });
    });

    it('keeps what was counted with the rollout', () => {
      expect(look(rollout(), minute, api({ inner: asked(2) })).next.analysis['api']?.inner).toEqual(asked(2));
    });
  });

  it('goes on to the next weight after a pass, with the numbers', () => {
    const decision = look(rollout(), 10 * minute, api({ evidence: good }));
    expect(decision.next).toMatchObject({ phase: 'canary', step: 1, stepSince: START + 10 * minute });
    expect(decision.reason).toMatch(/^10 % -> 50 %\. api@2: .*2,000/);
    expect(decision.journal).toMatchObject([{ from: 'canary', to: 'canary', detail: { weight: 50 } }]);
  });

  it('promotes after the last step', () => {
    const decision = look(rollout({ step: 1 }), 5 * minute, api({ evidence: good }));
    expect(decision).toMatchObject({ next: { phase: 'promoting' } });
    expect(decision.reason).toContain('passed at 50 %');
  });

  it('waits for approvals after the last step, and goes on judging', () => {
    const gated = look(rollout({ step: 1, approvalsNeeded: 1 }), 5 * minute, api({ evidence: good })).next;
    expect(gated).toMatchObject({ phase: 'canary', step: 2, paused: { reason: 'approval' } });
    expect(gated.reason).toMatch(/^passed at 50 %\. api@2: .*[^.]; 1 approval is needed before it is promoted$/);
    const waiting = look(gated, 10 * minute, api({ evidence: good }));
    expect(waiting).toMatchObject({ journal: [], wakeAt: START + 5 * minute + 24 * hour });
    expect(look(gated, 10 * minute, api({ evidence: bad }))).toMatchObject({ next: { end: 'failed' } });
    expect(look(gated, 10 * minute, api({ to: nobody() }))).toMatchObject({ next: { end: 'failed' } });
  });

  it.each([
    ['at once', {}],
    ['while paused', { paused: { reason: 'operator' as const, since: START, detail: 'paused by ann' } }],
  ])('fails at proof against it, %s', (_, over) => {
    const decision = look(rollout(over), minute, api({ evidence: bad }));
    expect(decision.next.end).toBe('failed');
    expect(decision.reason).toMatch(/^api@2: .*30 %/);
    expect(decision.journal[0]?.detail).toMatchObject({ service: 'api', verdict: { verdict: 'fail' } });
  });

  it.each([
    ['pause', { phase: 'canary', step: 0, end: null, paused: { reason: 'inconclusive' } }],
    ['abort', { end: 'failed' }],
    ['promote', { phase: 'canary', step: 1, end: null }],
  ] as const)('without data it is inconclusive, and the policy says: %s', (onInconclusive, expected) => {
    for (const evidence of [counted(KEY, { canary: 0, baseline: 0 }), few]) {
      const { next } = look(rollout({ policy: aPolicy({ onInconclusive }) }), 10 * minute, api({ evidence }));
      expect(next).toMatchObject(expected);
      // Whatever the policy says, the verdict stays what it was.
      expect(next.analysis['api']?.verdict?.verdict).toBe('inconclusive');
    }
  });

  it('passes with as few requests as the file says are enough, and not with fewer', () => {
    const at = (minRequests: number) => {
      const limits = { errorRate: 0.01, p95Ms: 1000, minRequests };
      const asked = rollout({ services: [aPart('api', { limits })] });
      return look(asked, 10 * minute, api({ evidence: few })).next;
    };
    expect(at(3)).toMatchObject({ phase: 'canary', step: 1, paused: null });
    expect(at(4)).toMatchObject({ step: 0, paused: { reason: 'inconclusive' } });
    expect(at(4).paused?.detail).toContain('1 more');
  });

  it('is not failed by an edge that does not answer, for however long', () => {
    const away = api({ to: aRelease({ healthy: 0, weight: null }), from: aRelease({ healthy: 0, weight: null }) });
    expect(look(rollout(), 9 * minute, away, { edgeReachable: false }).next.end).toBeNull();
    expect(look(rollout(), 10 * minute, away, { edgeReachable: false }).next).toMatchObject({
      end: null,
      paused: { reason: 'inconclusive' },
    });
  });

  it('is not failed by an edge that was just restarted and knows nobody', () => {
    expect(
      look(rollout(), minute, api({ to: aRelease({ healthy: 0 }), from: aRelease({ healthy: 0 }) })).next.end,
    ).toBeNull();
  });

  it.each([
    ['no process', nobody(), 'none of its instances runs'],
    ['no healthy one', aRelease({ healthy: 0 }), 'none of its instances is healthy'],
    ['a crash loop', aRelease({ failure: 'it ended 4 times in a row: exit code 1' }), 'it ended 4 times in a row'],
  ])('fails when it has %s left', (_, to, why) => {
    const { next, reason } = look(rollout(), minute, api({ to }));
    expect(next.end).toBe('failed');
    expect(reason).toContain(why);
  });

  it('fails as a unit when one of its workers, or one that is new, is lost', () => {
    const unit = rollout({ services: [aPart('api'), aPart('mail', { kind: 'worker' }), aPart('new', { from: null })] });
    const services = { ...api(), mail: well(0), new: { to: aRelease() } };
    expect(look(unit, minute, services).next.end).toBeNull();
    expect(look(unit, minute, { ...services, mail: { ...well(0), to: nobody() } }).reason).toBe(
      'mail@2 was lost during its canary: none of its instances runs',
    );
    expect(look(unit, minute, { ...services, new: { to: nobody() } }).reason).toBe(
      'new@2 was lost during its canary: none of its instances runs',
    );
  });

  it('judges a step of 100 % by what is seen from then on', () => {
    const policy = aPolicy({
      canary: [
        { weight: 10, forMs: minute },
        { weight: 100, forMs: minute },
      ],
    });
    const full = look(rollout({ policy, step: 1 }), second, api({ evidence: good })).next;
    expect(full.analysis['api']?.windowStart).toEqual(sumEvidence(good));
    expect(full.analysis['api']?.verdict).toMatchObject({ test: 'window', canaryRequests: 0 });
  });
});

describe('promoting', () => {
  const rollout = (over: Partial<Rollout> = {}): Rollout =>
    aRollout({ phase: 'promoting', verified: ['api'], ...over });
  const switched = (over: Partial<ServiceObserved> = {}) => ({
    api: { ...well(100), answered: { release: 'api@2', at: START + second }, ...over },
  });

  it('is a success once a request through the edge was answered by the new release', () => {
    const decision = look(rollout(), 2 * second, switched());
    expect(decision).toMatchObject({ next: { phase: 'watching', promotedAt: START + 2 * second } });
    expect(decision.reason).toBe('api@2 answered through the edge; rollback window 1h');
  });

  it('speaks of no edge where none of ours stands before a service', () => {
    const away = rollout({ services: [aPart('api', { away: true })] });
    expect(look(away, 2 * second, switched()).reason).toBe('api@2 answered at its own address; rollback window 1h');
    expect(look(away, 2 * second, switched({ answered: null })).reason).toContain(
      'an answer of api@2 at its own address',
    );
  });

  it.each([
    ['the edge has the weights', { to: aRelease({ weight: 50 }) }, 'api@2 at the edge'],
    ['a request is answered', { answered: null }, 'an answer of api@2 through the edge'],
    [
      'a request is answered, and what came instead is said',
      { answered: null, unanswered: 'GET https://api.example/health answered 503' },
      'an answer of api@2 through the edge; the last time: GET https://api.example/health answered 503',
    ],
    [
      'the new release answers it',
      { answered: { release: 'api@1', at: START + second } },
      'an answer of api@2 through the edge',
    ],
    [
      'an answer is newer than the switch',
      { answered: { release: 'api@2', at: START - second } },
      'an answer of api@2 through the edge',
    ],
  ])('waits until %s', (_, over, why) => {
    expect(look(rollout(), 2 * second, switched(over))).toMatchObject({
      next: { phase: 'promoting' },
      reason: `promoting: waiting for ${why}`,
      wakeAt: START + 2 * minute,
    });
  });

  it('waits for an edge that does not answer, up to the deadline', () => {
    const away = switched({ to: aRelease({ healthy: 0, weight: null }), from: aRelease({ healthy: 0, weight: null }) });
    expect(look(rollout(), minute, away, { edgeReachable: false }).next.end).toBeNull();
    expect(look(rollout(), 2 * minute, away, { edgeReachable: false })).toMatchObject({ next: { end: 'failed' } });
  });

  it('goes back at once when the release is lost beside a former one that is well', () => {
    expect(look(rollout(), second, switched({ to: nobody() }))).toMatchObject({
      next: { end: 'failed' },
      reason: 'api@2 was lost while it was promoted: none of its instances runs',
    });
    expect(look(rollout(), second, switched({ to: aRelease({ failure: 'it loops' }) })).reason).toContain('it loops');
  });

  it('gives a first release, which nobody can stand in for, until the deadline', () => {
    const first = rollout({ services: [aPart('api', { from: null })] });
    expect(look(first, minute, { api: { to: nobody() } }).next.end).toBeNull();
    expect(look(first, 2 * minute, { api: { to: nobody() } }).next.end).toBe('failed');
  });

  it('is content with what is left of a holdback', () => {
    const held = rollout({ policy: aPolicy({ holdback: 1 }) });
    expect(look(held, 2 * second, switched({ to: aRelease({ weight: 99 }) })).next.phase).toBe('watching');
  });

  it('asks nothing of a worker but that it stays up', () => {
    const worker = rollout({ services: [aPart('mail', { kind: 'worker' })] });
    expect(
      look(worker, second, { mail: { to: aRelease({ weight: null }), from: nobody() } }, { edgeReachable: false }),
    ).toMatchObject({
      next: { phase: 'watching' },
      reason: 'the new release runs; rollback window 1h',
    });
  });
});

describe('watching', () => {
  const rollout = (over: Partial<Rollout> = {}): Rollout =>
    aRollout({
      phase: 'watching',
      promotedAt: START,
      verified: ['api'],
      analysis: { api: { ...begun, windowStart: null } },
      ...over,
    });
  const at100 = (canaryBad: number, canary = 4000) => counted(KEY, { canary, baseline: 0, canaryBad, weight: 100 });
  const watched = {
    analysis: { api: { ...begun, windowStart: sumEvidence(counted(KEY, { canary: 0, baseline: 0 })) } },
  };

  it('waits the window out', () => {
    expect(look(rollout(), minute, { api: well(100) })).toMatchObject({
      next: { phase: 'watching' },
      wakeAt: START + hour,
    });
  });

  it('begins its test with what is seen after the switch', () => {
    const { next } = look(rollout(), second, { api: { ...well(100), evidence: good } });
    expect(next.analysis['api']?.windowStart).toEqual(sumEvidence(good));
  });

  it('completes after the window, and says what the window showed', () => {
    const decision = look(rollout(watched), hour, { api: { ...well(100), evidence: at100(2) } });
    expect(decision.next).toMatchObject({ phase: 'complete', end: 'complete', endedAt: START + hour });
    expect(decision.reason).toMatch(/^the rollback window of 1h is over\. api@2: .*4,000/);
  });

  it('completes without traffic too: it was promoted, and nothing speaks against it', () => {
    const decision = look(rollout(watched), hour, { api: well(100) });
    expect(decision.next).toMatchObject({
      end: 'complete',
      analysis: { api: { verdict: { verdict: 'inconclusive' } } },
    });
  });

  it('takes it back at proof that it breaks its limit', () => {
    const decision = look(rollout(watched), minute, { api: { ...well(100), evidence: at100(400) } });
    expect(decision.next).toMatchObject({ phase: 'watching', end: 'rolled-back' });
    expect(decision.reason).toMatch(/^api@2: .*10 %/);
  });

  it('takes it back when it is lost beside a former one that is well', () => {
    expect(look(rollout(), minute, { api: { ...well(100), to: nobody() } })).toMatchObject({
      next: { end: 'rolled-back' },
    });
  });

  it.each([
    ['is not well either', { from: aRelease({ healthy: 0 }) }],
    ['does not run either, as when all is brought down', { from: nobody() }],
  ])('does not go back to one that %s', (_, over) => {
    expect(look(rollout(), minute, { api: { ...well(100), to: nobody(), ...over } }).next.end).toBeNull();
  });

  it('starts the former worker again when the new one crashes over and over', () => {
    const worker = rollout({ services: [aPart('mail', { kind: 'worker' })], analysis: {} });
    const decision = look(worker, minute, {
      mail: { to: nobody({ failure: 'it ended 4 times in a row: signal SIGSEGV' }), from: nobody() },
    });
    expect(decision).toMatchObject({
      next: { end: 'rolled-back' },
      reason: 'mail@2 failed in its rollback window: it ended 4 times in a row: signal SIGSEGV',
    });
  });

  it('keeps a first release, whatever it does', () => {
    const first = rollout({ services: [aPart('api', { from: null })], analysis: {} });
    expect(look(first, minute, { api: { to: nobody({ failure: 'it loops' }) } }).next.end).toBeNull();
  });

  it('gives way to a newer rollout, even at proof against it: that one builds upon this release', () => {
    const decision = look(
      rollout(watched),
      minute,
      { api: { ...well(100), evidence: at100(400) } },
      { superseded: true },
    );
    expect(decision).toMatchObject({ next: { end: 'complete' }, reason: 'superseded by a newer rollout' });
  });

  it('compares with the holdback where there is one', () => {
    const held = rollout({ policy: aPolicy({ holdback: 1 }) });
    expect(look(held, minute, { api: { ...well(99), evidence: good } }).next.analysis['api']?.verdict?.test).toBe(
      'owner',
    );
  });

  it('does not call lost what has not had the time to answer: after a reboot all start anew', () => {
    const rollout = aRollout({ phase: 'watching', verified: ['api'] });
    const silent = (starting: boolean): Partial<ServiceObserved> => ({
      to: aRelease({ weight: 100, healthy: 0, starting }),
      from: aRelease({ weight: 0 }),
    });
    expect(look(rollout, minute, { api: silent(true) }).next.end).toBeNull();
    expect(look(rollout, minute, { api: silent(false) }).next.end).toBe('rolled-back');
  });
});

describe('a clock that is set back', () => {
  it('begins the phase anew instead of holding it for as long', () => {
    const rollout = aRollout({
      phase: 'building',
      phaseSince: START + 48 * hour,
      stepSince: START + 48 * hour,
      phasePausedMs: hour,
    });
    const decision = decide(rollout, seenOf(rollout), START);
    expect(decision).toMatchObject({ next: { phaseSince: START, phasePausedMs: 0 }, wakeAt: START + 20 * minute });
    expect(decide(decision.next, seenOf(rollout), START + 20 * minute).next.end).toBe('failed');
  });

  it('begins a pause anew', () => {
    const rollout = aRollout({
      phase: 'building',
      paused: { reason: 'operator', since: START + 48 * hour, detail: 'paused' },
    });
    expect(decide(rollout, seenOf(rollout), START)).toMatchObject({
      next: { paused: { since: START } },
      wakeAt: START + 24 * hour,
    });
  });

  it('forgets pauses that are longer than the phase', () => {
    const rollout = aRollout({ phase: 'watching', phasePausedMs: 23 * hour, stepPausedMs: 23 * hour });
    expect(look(rollout, hour, { api: well(100) }).wakeAt).toBe(START + 2 * hour);
  });
});

describe('settling', () => {
  const failed = aRollout({
    phase: 'canary',
    end: 'failed',
    endedAt: START,
    reason: 'api@2 failed',
    verified: ['api'],
  });
  const complete = aRollout({ phase: 'complete', end: 'complete', endedAt: START, reason: 'over' });
  const reasonOf = (
    rollout: Rollout,
    services: Record<string, Partial<ServiceObserved>>,
    over: Partial<Observed> = {},
  ): [boolean, string] => {
    const decision = look(rollout, second, services, over);
    expect(decision.journal).toEqual([]);
    expect(decision.next.end).toBe(rollout.end);
    return [decision.next.settled, decision.reason];
  };

  it('is over once what was taken back is gone', () => {
    expect(reasonOf(failed, { api: { to: aRelease({ weight: 10 }) } })).toEqual([
      false,
      'settling: waiting for api@2 to lose its traffic; api@2 to stop',
    ]);
    expect(reasonOf(failed, { api: { to: nobody() } })).toEqual([true, 'api@2 failed']);
  });

  it('is over once what was replaced is gone', () => {
    expect(reasonOf(complete, { api: well(100) })).toEqual([false, 'settling: waiting for api@1 to stop']);
    expect(reasonOf(complete, { api: { to: aRelease({ weight: 100 }), from: nobody() } })).toEqual([true, 'over']);
  });

  it('ends every job that is left, migrations too', () => {
    const rollout = aRollout({ phase: 'building', end: 'aborted', endedAt: START });
    const decision = look(rollout, second, { api: { build: { state: 'running', detail: '' } } });
    expect(decision.actions).toEqual([{ kind: 'cancel-work', service: 'api', migrations: true }]);
  });

  it('does not take an edge that does not answer for one that has nothing left', () => {
    expect(reasonOf(failed, { api: { to: nobody() } }, { edgeReachable: false })).toEqual([
      false,
      'settling: waiting for the edge to answer',
    ]);
  });

  it('stays open while a failed release is kept for a look, until a newer rollout ends that for good', () => {
    const kept = { ...failed, policy: aPolicy({ keepFailed: true }) };
    const there = { api: { to: aRelease({ weight: 0 }) } };
    expect(reasonOf(kept, there)).toEqual([false, 'settling: waiting for api@2, kept for a look']);
    expect(look(kept, second, there, { superseded: true }).next).toMatchObject({
      settled: true,
      policy: { keepFailed: false },
    });
  });

  it('leaves releases to the newer rollout that may want them', () => {
    expect(reasonOf(complete, { api: well(0) }, { superseded: true })).toEqual([true, 'over']);
  });

  it('answers nobody any more: an end is final', () => {
    const decision = look(failed, second, { api: { to: nobody() } }, { requests: [ask('promote'), ask('rollback')] });
    expect(decision.next).toMatchObject({ end: 'failed', endedAt: START });
  });
});
