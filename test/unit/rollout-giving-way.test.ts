import { describe, expect, test } from 'vitest';
import { beginRollout } from '../../src/domain/rollout/begin.ts';
import { decide } from '../../src/domain/rollout/decide.ts';
import { desiredServices } from '../../src/domain/rollout/desired.ts';
import { hasGivenWay } from '../../src/domain/rollout/giving-way.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { policy, service } from '../support/engine/world.ts';
import {
  aPart,
  aPolicy,
  aRelease,
  aRollout,
  ask,
  nobody,
  second,
  seenOf,
  START,
  work,
} from '../support/rollout/builders.ts';

const alone = (over: Partial<Rollout> = {}): Rollout =>
  aRollout({ services: [aPart('db', { alone: true })], policy: aPolicy({ canary: [] }), ...over });
const desiredOf = (rollout: Rollout) =>
  desiredServices(
    rollout.services.map(({ service: name, from }) => ({
      project: 'chat',
      environment: 'production',
      service: name,
      current: from,
      former: null,
      internalPort: null,
      previewPort: null,
      contracted: null,
    })),
    [rollout],
  );
const held = { db: { since: START, counted: { epoch: 'e1', waited: 3, refused: 1 } } };

describe('what cannot run twice', () => {
  test('stops only when its successor is next', () => {
    const before = alone({ phase: 'verifying' });
    const { next, reason } = decide(before, seenOf(before), START + second);
    expect(hasGivenWay(next, next.services[0] ?? aPart('db'))).toBe(true);
    expect(reason).toContain('db@1 stops so that db@2 can start, requests to db wait');
    expect(desiredOf(before)[0]?.releases).toEqual([{ release: 'db@1', weight: 100, run: true }]);
    expect(desiredOf(next)[0]?.releases).toEqual([
      { release: 'db@1', weight: 100, run: false },
      { release: 'db@2', weight: 0, run: true },
    ]);
  });

  test('is not migrated before the former release is gone', () => {
    const rollout = alone({ phase: 'migrating', held, services: [aPart('db', { alone: true, migrates: true })] });
    expect(decide(rollout, seenOf(rollout), START).actions).toEqual([]);
    expect(decide(rollout, seenOf(rollout, { db: { from: nobody() } }), START).actions).toMatchObject([
      { kind: 'migrate' },
    ]);
  });

  test('asks for approval before anything stops, and for no second one', () => {
    const rollout = alone({ phase: 'starting', approvalsNeeded: 1 });
    const asked = decide(rollout, seenOf(rollout), START);
    expect(asked.next.paused).toMatchObject({ reason: 'approval', detail: '1 approval is needed before db@1 stops' });
    const approved = alone({
      phase: 'verifying',
      held,
      approvalsNeeded: 1,
      approvals: [{ by: 'ben', human: null, at: START, comment: null }],
    });
    const well = seenOf(approved, { db: { from: nobody(), to: aRelease() } });
    expect(decide(approved, well, START).next.phase).toBe('promoting');
  });

  test('is given back while a person decides about a job whose end nobody knows', () => {
    const rollout = alone({ phase: 'verifying', held, services: [aPart('db', { alone: true, smokes: true })] });
    const seen = seenOf(rollout, { db: { from: nobody(), to: aRelease(), smoke: work('unknown') } });
    const { next } = decide(rollout, seen, START);
    expect(next).toMatchObject({ paused: { reason: 'unknown-job' }, held: {} });
    expect(desiredOf(next)[0]?.releases).toEqual([{ release: 'db@1', weight: 100, run: true }]);
  });

  test('cannot be paused while nobody answers for it', () => {
    const rollout = alone({ phase: 'verifying', held });
    const { next, reason } = decide(rollout, seenOf(rollout, {}, { requests: [ask('pause')] }), START);
    expect(next.paused).toBeNull();
    expect(reason).toContain('pause by ben has no effect while a service is held');
  });

  test('says how long it was held, and what became of the requests', () => {
    const rollout = alone({ phase: 'promoting', held });
    const seen = seenOf(rollout, {
      db: {
        from: nobody(),
        to: aRelease({ weight: 100 }),
        answered: { release: 'db@2', at: START },
        held: { epoch: 'e1', waited: 15, refused: 1 },
      },
    });
    const { next, reason, journal } = decide(rollout, seen, START + 1800);
    expect(next.phase).toBe('watching');
    expect(reason).toContain('db was held for 1.8 s (12 requests waited, none was refused)');
    expect(journal[0]?.detail).toMatchObject({ held: { db: { ms: 1800, waited: 12, refused: 0 } } });
    expect(desiredOf(next)[0]?.releases).toEqual([{ release: 'db@2', weight: 100, run: true }]);
  });

  test('is settled, taken back, once its former release answers again', () => {
    const rollout = alone({ phase: 'verifying', held, end: 'failed', endedAt: START });
    const gone = { to: nobody(), from: nobody() };
    expect(decide(rollout, seenOf(rollout, { db: gone }), START)).toMatchObject({
      next: { settled: false },
      reason: expect.stringContaining('db@1 to answer again'),
    });
    expect(decide(rollout, seenOf(rollout, { db: { ...gone, from: aRelease() } }), START).next.settled).toBe(true);
    // Nobody waits for what is not wanted, or cannot come.
    expect(decide(rollout, seenOf(rollout, { db: gone }, { down: true }), START).next.settled).toBe(true);
    const broken = nobody({ failure: 'it ended 4 times in a row' });
    expect(decide(rollout, seenOf(rollout, { db: { ...gone, from: broken } }), START).next.settled).toBe(true);
  });

  test('gives way last in a unit, which has no canary then', () => {
    const canary = [{ weight: 10, forMs: second }];
    const configs = [
      service('db', { overlap: false }),
      service('api', { rollout: policy({ canary, holdback: 1 }) }),
      service('web', { after: ['db'] }),
    ];
    const changes = configs.map((config) => ({
      config,
      from: `${config.name}@1`,
      to: `${config.name}@2`,
      old: false,
      alone: config.overlap === false,
    }));
    const rollout = beginRollout({
      id: 'r1',
      project: 'shop',
      environment: 'production',
      kind: 'deploy',
      changes,
      approvalsNeeded: 0,
      keepFailed: null,
      by: 'ann',
      reason: 'deploy',
      now: START,
    });
    expect(rollout.services.map(({ service: name, after }) => [name, after])).toEqual([
      ['api', []],
      ['db', ['api']],
      ['web', ['db']],
    ]);
    expect(rollout.policy).toMatchObject({ canary: [], holdback: 0 });
    expect(rollout.reason).toBe('deploy; without a canary, since db cannot run twice');
  });
});
