import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/rollout/decide.ts';
import type { Observed } from '../../src/domain/rollout/observed.ts';
import { type OperatorRequest, PHASES, type Rollout } from '../../src/domain/rollout/rollout.ts';
import type { Decision } from '../../src/domain/rollout/transition.ts';
import {
  aPart,
  aPolicy,
  aRelease,
  aRollout,
  ask,
  hour,
  minute,
  second,
  seenOf,
  START,
  work,
} from '../support/rollout/builders.ts';

const well = { api: { to: aRelease({ weight: 10 }) } };
const NOW = START + second;

function asked(
  rollout: Rollout,
  requests: OperatorRequest[],
  services: Parameters<typeof seenOf>[1] = well,
  over: Partial<Observed> = {},
): Decision {
  return decide(rollout, seenOf(rollout, services, { requests, ...over }), NOW);
}

const canary = aRollout({ phase: 'canary', verified: ['api'] });
const paused = (
  reason: 'approval' | 'inconclusive' | 'operator' | 'unknown-job',
  over: Partial<Rollout> = {},
): Rollout =>
  aRollout({
    phase: 'canary',
    verified: ['api'],
    paused: { reason, since: START, detail: `waits (${reason})` },
    ...over,
  });

describe('taking back', () => {
  const early = PHASES.filter((phase) => phase !== 'watching' && phase !== 'contracting' && phase !== 'complete');
  const words = {
    abort: 'aborted by ben',
    rollback: 'aborted by ben',
    reject: 'rejected by ben',
    supersede: 'replaced by ben',
  } as const;
  const rows = early.flatMap((phase) =>
    (Object.keys(words) as (keyof typeof words)[]).map((kind) => ({ phase, kind })),
  );

  it.each(rows)('$kind ends a rollout that is $phase, at one look', ({ phase, kind }) => {
    const { next, reason } = asked(aRollout({ phase }), [ask(kind)]);
    expect(next.end).toBe('aborted');
    expect(reason).toBe(words[kind]);
  });

  it.each(['approval', 'inconclusive', 'operator', 'unknown-job'] as const)('wins over a pause (%s)', (reason) => {
    expect(asked(paused(reason), [ask('abort', { comment: 'wrong branch' })])).toMatchObject({
      next: { end: 'aborted', paused: null },
      reason: 'aborted by ben: wrong branch',
    });
  });

  it('wins over whatever was asked before it', () => {
    const decision = asked(canary, [ask('promote'), ask('approve'), ask('abort', { by: 'cem' })]);
    expect(decision).toMatchObject({ next: { end: 'aborted' }, reason: 'aborted by cem' });
  });

  it('rolls back in the window, without asking after the health of what is still hot', () => {
    const watching = aRollout({ phase: 'watching', promotedAt: START });
    const ill = { api: { to: aRelease({ weight: 100 }), from: aRelease({ healthy: 0 }) } };
    for (const kind of ['abort', 'rollback', 'reject'] as const)
      expect(asked(watching, [ask(kind)], ill)).toMatchObject({
        next: { end: 'rolled-back' },
        reason: 'rolled back by ben',
      });
  });

  it('says that a first release has no former one', () => {
    const first = aRollout({ phase: 'watching', services: [aPart('api', { from: null })] });
    const decision = asked(first, [ask('rollback')]);
    expect(decision.next).toMatchObject({ phase: 'watching', end: null });
    expect(decision.journal).toMatchObject([
      { reason: 'rollback by ben is not possible: this is the first release, there is no former one' },
    ]);
    expect(asked(decision.next, []).journal).toEqual([]);
  });

  it('takes back a unit in which only some services are new', () => {
    const unit = aRollout({ phase: 'watching', services: [aPart('api', { from: null }), aPart('web')] });
    const seen = { api: { to: aRelease() }, web: { to: aRelease() } };
    expect(asked(unit, [ask('rollback')], seen).next.end).toBe('rolled-back');
  });

  it('does not go behind a release that a newer rollout builds upon', () => {
    const watching = aRollout({ phase: 'watching' });
    const decision = asked(watching, [ask('rollback')], well, { superseded: true });
    expect(decision).toMatchObject({ next: { end: 'complete' }, reason: 'superseded by a newer rollout' });
  });
});

describe('abort while a migration runs', () => {
  const rollout = aRollout({
    phase: 'migrating',
    services: [aPart('api', { migrates: true }), aPart('mail', { migrates: true })],
  });
  const running = { api: { migration: work('running') } };

  it('waits for its end, writes that down once, and begins nothing', () => {
    const request = ask('abort');
    const first = asked(rollout, [request], running);
    expect(first.next).toMatchObject({ end: null, phase: 'migrating' });
    expect(first.journal).toMatchObject([
      { reason: 'abort by ben waits for the migration of api@2 to end (--force does not wait)' },
    ]);
    const second_ = asked(first.next, [request], running);
    expect(second_).toMatchObject({ next: { end: null }, journal: [], actions: [] });
    expect(second_.wakeAt).toBe(START + 15 * minute);
    for (const state of ['done', 'failed', 'unknown'] as const)
      expect(asked(second_.next, [request], { api: { migration: work(state) } })).toMatchObject({
        next: { end: 'aborted' },
        actions: [],
      });
  });

  it('does not wait with force, also when that is asked later', () => {
    const requests = [ask('abort'), ask('abort', { force: true, by: 'cem' })];
    const { next } = asked(rollout, requests, running);
    expect(next).toMatchObject({ end: 'aborted', reason: 'aborted by cem', requestSeq: requests[1]?.seq });
    const settling = decide(next, seenOf(next, running), NOW);
    expect(settling.actions).toEqual([{ kind: 'cancel-work', service: 'api', migrations: true }]);
  });

  it('waits no longer than the deadline, which a pause does not stop', () => {
    const held = { ...rollout, paused: { reason: 'operator' as const, since: START, detail: 'paused by ann' } };
    const request = ask('abort');
    const waiting = asked(held, [request], running).next;
    expect(waiting.paused).toBeNull();
    const late = decide(waiting, seenOf(waiting, running, { requests: [request] }), NOW + 15 * minute);
    expect(late.next.end).toBe('aborted');
    expect(late.reason).toContain('the migration of api@2 is stopped: migrating took longer than its deadline of 15m');
  });
});

describe('promote', () => {
  it('skips the steps that are left', () => {
    const decision = asked(canary, [ask('promote', { comment: 'hotfix' })]);
    expect(decision).toMatchObject({ next: { phase: 'promoting' }, reason: 'promoted by ben: hotfix' });
    expect(decision.journal[0]?.detail).toMatchObject({ by: 'ben', skippedSteps: 1 });
  });

  it('does not skip approvals', () => {
    const decision = asked({ ...canary, approvalsNeeded: 1 }, [ask('promote')]);
    expect(decision.next).toMatchObject({ phase: 'canary', step: 2, paused: { reason: 'approval' } });
    expect(decision.reason).toBe('promoted by ben; 1 approval is needed before it is promoted');
  });

  it.each(['inconclusive', 'operator'] as const)('ends a pause (%s)', (reason) => {
    expect(asked(paused(reason), [ask('promote')]).next).toMatchObject({ phase: 'promoting', paused: null });
  });

  it('is no approval', () => {
    const decision = asked(paused('approval', { approvalsNeeded: 1, step: 2 }), [ask('promote')]);
    expect(decision).toMatchObject({ next: { phase: 'canary', paused: { reason: 'approval' } } });
    expect(decision.reason).toContain('does not approve');
    expect(decision.journal).toMatchObject([{ detail: { refused: 'not-an-approval' } }]);
  });

  it('loses against proof that the canary is bad', () => {
    const dead = { api: { to: aRelease({ running: 0, healthy: 0 }) } };
    expect(asked(canary, [ask('promote')], dead).next.end).toBe('failed');
  });

  it.each(['pending', 'building', 'starting', 'migrating', 'verifying', 'promoting', 'watching'] as const)(
    'has no effect while %s',
    (phase) => {
      const decision = asked(aRollout({ phase, services: [aPart('api', { migrates: true })] }), [ask('promote')]);
      expect(decision).toMatchObject({
        next: { phase, end: null },
        reason: `promote by ben has no effect while ${phase}`,
        journal: [{ detail: { refused: 'no-effect', request: decision.next.requestSeq } }],
      });
    },
  );

  it('vouches for work whose end nobody knows', () => {
    const rollout = aRollout({
      phase: 'migrating',
      services: [aPart('api', { migrates: true })],
      paused: { reason: 'unknown-job', since: START, detail: 'migrate.api died' },
    });
    const unknown = { api: { migration: work('unknown') } };
    const { next, reason } = asked(rollout, [ask('promote')], unknown);
    expect(next).toMatchObject({ paused: null, waived: ['migrate.api'], attempts: {} });
    expect(reason).toBe('ben vouches for migrate.api');
    expect(decide(next, seenOf(next, unknown), NOW).next.phase).toBe('verifying');
  });
});

describe('pause and resume', () => {
  it.each(['pending', 'building', 'starting', 'migrating', 'verifying', 'canary'] as const)(
    'a pause holds a rollout that is %s',
    (phase) => {
      const rollout = aRollout({
        phase,
        services: [aPart('api', { migrates: true })],
        verified: phase === 'canary' ? ['api'] : [],
      });
      const { next } = asked(rollout, [ask('pause')]);
      expect(next.paused).toMatchObject({ reason: 'operator', detail: 'paused by ben' });
      const all = { api: { build: work('done'), migration: work('done'), to: aRelease({ weight: 10 }) } };
      const later = decide(next, seenOf(next, all), NOW + hour);
      expect(later).toMatchObject({ next: { phase, end: null }, reason: 'paused by ben', wakeAt: NOW + 24 * hour });
      expect(later.actions).toEqual([]);
    },
  );

  it.each(['promoting', 'watching'] as const)('a pause has no effect while %s', (phase) => {
    expect(asked(aRollout({ phase }), [ask('pause')])).toMatchObject({
      next: { paused: null },
      reason: `pause by ben has no effect while ${phase}`,
    });
  });

  it('a pause stops the clock of the phase', () => {
    const rollout = aRollout({
      phase: 'building',
      paused: { reason: 'operator', since: START + 19 * minute, detail: 'paused' },
    });
    const building = { api: { build: work('running') } };
    const at = START + 10 * hour;
    const resumed = decide(rollout, seenOf(rollout, building, { requests: [ask('resume')] }), at).next;
    const on = decide(resumed, seenOf(resumed, building), at + 30 * second);
    expect(on).toMatchObject({ next: { end: null }, wakeAt: at + minute });
    expect(decide(resumed, seenOf(resumed, building), at + minute).next.end).toBe('failed');
  });

  it('a pause of a day takes the rollout back', () => {
    const decision = decide(paused('operator'), seenOf(canary, well), START + 24 * hour);
    expect(decision.next.end).toBe('failed');
    expect(decision.reason).toContain('paused (operator) for longer than 1d: waits (operator)');
  });

  it('the second pause in a row has a clock of its own, and keeps the time of the first out of the step', () => {
    const first = paused('inconclusive', { stepSince: START - 10 * minute });
    const at = START + 23 * hour;
    const second_ = decide(first, seenOf(first, well, { requests: [ask('pause')] }), at).next;
    expect(second_).toMatchObject({ paused: { reason: 'operator', since: at }, stepPausedMs: 23 * hour });
    const resumed = decide(second_, seenOf(second_, well, { requests: [ask('resume')] }), at + hour).next;
    expect(resumed.stepPausedMs).toBe(24 * hour);
  });

  it('resume measures an inconclusive step once more and keeps the evidence', () => {
    const { next, reason } = asked(paused('inconclusive', { stepPausedMs: 5 }), [ask('resume')]);
    expect(next).toMatchObject({ paused: null, stepSince: NOW, stepPausedMs: 0 });
    expect(reason).toContain('the step is measured once more');
  });

  it('resume runs work with an unknown end again, under a new number', () => {
    const rollout = aRollout({
      phase: 'verifying',
      services: [aPart('api', { checks: true })],
      paused: { reason: 'unknown-job', since: START, detail: 'check.api died' },
    });
    const { next } = asked(rollout, [ask('resume')], { api: { to: aRelease(), check: work('unknown') } });
    expect(next).toMatchObject({ paused: null, attempts: { 'check.api': 2 } });
    expect(asked(next, [], { api: { to: aRelease() } }).actions).toEqual([
      { kind: 'check', service: 'api', attempt: 2 },
    ]);
  });

  it('resume is no approval, and does nothing to what is not paused', () => {
    expect(asked(paused('approval', { approvalsNeeded: 1, step: 2 }), [ask('resume')]).next.paused?.reason).toBe(
      'approval',
    );
    expect(asked(canary, [ask('resume')]).reason).toBe('resume by ben has no effect: it is not paused');
  });
});

describe('approvals', () => {
  const gated = paused('approval', { approvalsNeeded: 2, step: 2 });

  it('counts a person once', () => {
    const once = asked(gated, [ask('approve', { by: 'ann' })]);
    expect(once.reason).toBe('approved by ann (1 of 2)');
    expect(once.next.paused?.detail).toBe('approved by ann (1 of 2); 1 approval is needed before it is promoted');
    const twice = asked(once.next, [ask('approve', { by: 'ann' })]);
    expect(twice.next.approvals).toHaveLength(1);
    expect(twice.reason).toContain('ann has approved already');
  });

  it('counts a human being once, whatever they ask with, and whoever asked for the rollout not at all', () => {
    const mine = { ...gated, author: 'person:ann' };
    const own = asked(mine, [ask('approve', { by: 'ann (ci)', human: 'person:ann' })]);
    expect(own.next.approvals).toEqual([]);
    expect(own.reason).toContain('ann (ci) has no effect: whoever asked for a rollout does not approve it');
    const once = asked(mine, [ask('approve', { by: 'ben', human: 'person:ben' })]).next;
    const twice = asked(once, [ask('approve', { by: 'ben (laptop)', human: 'person:ben' })]).next;
    expect(twice.approvals).toHaveLength(1);
    expect(twice.paused).not.toBeNull();
    expect(asked(twice, [ask('approve', { by: 'cem', human: 'person:cem' })]).next.paused).toBeNull();
  });

  it('open the gate once so many different human beings have approved, none of them the author', () => {
    const human = fc.constantFrom('person:a', 'person:b', 'person:c', 'person:d');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), human, fc.array(human), (people, author, humans) => {
        const begun = paused('approval', { approvalsNeeded: people, author, step: 2 });
        const end = humans.reduce((rollout, each) => {
          return asked(rollout, [ask('approve', { by: each, human: each })]).next;
        }, begun);
        const others = new Set(humans.filter((each) => each !== author));
        expect(end.paused === null && end.approvals.length >= people).toBe(others.size >= people);
      }),
    );
  });

  it('opens the gate with the last one', () => {
    const one = asked(gated, [ask('approve', { by: 'ann' })]).next;
    const two = asked(one, [ask('approve', { by: 'cem', comment: 'looks good' })]).next;
    expect(two.paused).toBeNull();
    expect(two.reason).toBe('approved by cem (2 of 2): looks good');
    const on = asked(two, []);
    // Told once in the story.
    expect(on).toMatchObject({ next: { phase: 'promoting' }, reason: 'all approvals that were needed are there' });
  });

  it('counts those that come before the gate', () => {
    const building = aRollout({ phase: 'building', approvalsNeeded: 1 });
    const approved = asked(building, [ask('approve', { by: 'ann' })]).next;
    expect(approved).toMatchObject({ phase: 'building', approvals: [{ by: 'ann' }] });
    const verified = { ...approved, phase: 'verifying' as const, policy: aPolicy({ canary: [] }) };
    expect(asked(verified, []).next.phase).toBe('promoting');
  });

  it('come too late once it is promoted', () => {
    expect(asked(aRollout({ phase: 'promoting' }), [ask('approve')])).toMatchObject({ next: { approvals: [] } });
  });

  it('are answered one by one, oldest first', () => {
    const requests = [ask('approve', { by: 'ann' }), ask('approve', { by: 'cem' })];
    const first = asked(gated, requests);
    expect(first.next).toMatchObject({ requestSeq: requests[0]?.seq, approvals: [{ by: 'ann' }] });
    expect(asked(first.next, requests).next.approvals).toHaveLength(2);
  });
});
