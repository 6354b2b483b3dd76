import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/rollout/decide.ts';
import type { Observed } from '../../src/domain/rollout/observed.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import type { Decision } from '../../src/domain/rollout/transition.ts';
import {
  aPart,
  aPolicy,
  aRelease,
  aRollout,
  hour,
  minute,
  nobody,
  second,
  seenOf,
  START,
  work,
} from '../support/rollout/builders.ts';

/** Each row: a rollout, what is seen of it, and where it goes. `after` is the time since the phase began. */
interface Row {
  name: string;
  rollout: Partial<Rollout>;
  seen?: (rollout: Rollout) => Observed;
  after?: number;
  /** The phase or the end. */
  to: string;
  paused?: string;
  reason: string;
  actions?: Decision['actions'];
}

function check(row: Row): void {
  const rollout = aRollout(row.rollout);
  const decision = decide(rollout, row.seen?.(rollout) ?? seenOf(rollout), START + (row.after ?? second));
  expect(decision.next.end ?? decision.next.phase).toBe(row.to);
  expect(decision.next.paused?.reason).toBe(row.paused);
  expect(decision.reason).toContain(row.reason);
  expect(decision.actions).toEqual(row.actions ?? []);
  if (row.to !== rollout.phase) expect(decision.journal).toMatchObject([{ from: rollout.phase, to: row.to }]);
}

const api = aPart('api');
const migrating = aPart('api', { migrates: true });
const web = aPart('web', { kind: 'static', after: ['api'] });
const held = { reason: 'operator' as const, since: START, detail: 'paused by ann' };

describe('pending', () => {
  const rows: Row[] = [
    { name: 'begins at once', rollout: {}, to: 'building', reason: 'begun' },
    {
      name: 'stays put while an operator holds it',
      rollout: { paused: held },
      to: 'pending',
      paused: 'operator',
      reason: 'paused by ann',
    },
  ];
  it.each(rows)('$name', check);
});

describe('building', () => {
  const phase = 'building' as const;
  const both = [api, aPart('mail', { kind: 'worker' })];
  const rows: Row[] = [
    {
      name: 'begins every build that is not under way',
      rollout: { phase, services: both },
      seen: (each) => seenOf(each, { api: { build: work('running') } }),
      to: 'building',
      reason: 'building api@2, mail@2',
      actions: [{ kind: 'build', service: 'mail' }],
    },
    {
      name: 'begins a build again whose end nobody saw',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { build: work('unknown') } }),
      to: 'building',
      reason: 'building api@2',
      actions: [{ kind: 'build', service: 'api' }],
    },
    {
      name: 'begins none while paused',
      rollout: { phase, paused: held },
      to: 'building',
      paused: 'operator',
      reason: 'paused by ann',
    },
    {
      name: 'does not go on while paused, though all is built',
      rollout: { phase, paused: held },
      seen: (each) => seenOf(each, { api: { build: work('done') } }),
      to: 'building',
      paused: 'operator',
      reason: 'paused by ann',
    },
    {
      name: 'goes on once all are built',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { build: work('done', '4.2 s') } }),
      to: 'starting',
      reason: 'built api@2',
    },
    {
      name: 'has nothing to build for an old release',
      rollout: { phase, services: [aPart('api', { builds: false })] },
      to: 'starting',
      reason: 'nothing to build',
    },
    {
      name: 'fails with what the build said, even while paused',
      rollout: { phase, paused: held },
      seen: (each) => seenOf(each, { api: { build: work('failed', 'exit code 1: no such module') } }),
      to: 'failed',
      reason: 'build of api@2 failed: exit code 1: no such module',
    },
    {
      name: 'fails at its deadline, and says what it waited for',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { build: work('running') } }),
      after: 20 * minute,
      to: 'failed',
      reason: 'building took longer than its deadline of 20m (building api@2)',
    },
    {
      name: 'takes what was done while the controller was away, however long that was',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { build: work('done') } }),
      after: 3 * hour,
      to: 'starting',
      reason: 'built',
    },
  ];
  it.each(rows)('$name', check);
});

describe('starting', () => {
  const phase = 'starting' as const;
  const rows: Row[] = [
    { name: 'waits for processes', rollout: { phase }, to: 'starting', reason: 'starting api@2' },
    {
      name: 'asks for no health: the schema may not be there yet',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { to: aRelease({ healthy: 0 }) } }),
      to: 'migrating',
      reason: 'api@2 has started',
    },
    {
      name: 'does not wait for what leans on another service or on a migration',
      rollout: { phase, services: [migrating, web] },
      to: 'migrating',
      reason: 'nothing can start before the migration',
    },
    {
      name: 'fails when an instance cannot be started',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { to: nobody({ failure: 'it could not be started: no such file' }) } }),
      to: 'failed',
      reason: 'api@2 did not start: it could not be started: no such file',
    },
    { name: 'fails at its deadline', rollout: { phase }, after: 5 * minute, to: 'failed', reason: 'deadline of 5m' },
  ];
  it.each(rows)('$name', check);
});

describe('migrating', () => {
  const phase = 'migrating' as const;
  const both = [migrating, aPart('mail', { kind: 'worker', migrates: true })];
  const rows: Row[] = [
    { name: 'has nothing to do without migrations', rollout: { phase }, to: 'verifying', reason: 'nothing to migrate' },
    {
      name: 'begins the first one only',
      rollout: { phase, services: both },
      to: 'migrating',
      reason: 'migrating api@2',
      actions: [{ kind: 'migrate', service: 'api', attempt: 1 }],
    },
    {
      name: 'begins the next once the first is done',
      rollout: { phase, services: both },
      seen: (each) => seenOf(each, { api: { migration: work('done') } }),
      to: 'migrating',
      reason: 'migrating mail@2',
      actions: [{ kind: 'migrate', service: 'mail', attempt: 1 }],
    },
    {
      name: 'begins nothing beside a running one',
      rollout: { phase, services: both },
      seen: (each) => seenOf(each, { api: { migration: work('running') } }),
      to: 'migrating',
      reason: 'migrating api@2',
    },
    {
      name: 'begins nothing while paused',
      rollout: { phase, services: both, paused: held },
      to: 'migrating',
      paused: 'operator',
      reason: 'paused by ann',
    },
    {
      name: 'goes on once all are done',
      rollout: { phase, services: [migrating] },
      seen: (each) => seenOf(each, { api: { migration: work('done') } }),
      to: 'verifying',
      reason: 'migrated api@2',
    },
    {
      name: 'fails with what the migration said',
      rollout: { phase, services: [migrating] },
      seen: (each) => seenOf(each, { api: { migration: work('failed', 'exit code 3') } }),
      to: 'failed',
      reason: 'migration of api@2 failed: exit code 3',
    },
    {
      name: 'asks a person when nobody knows how a migration ended',
      rollout: { phase, services: [migrating] },
      seen: (each) => seenOf(each, { api: { migration: work('unknown', 'no end after pid 77 died') } }),
      to: 'migrating',
      paused: 'unknown-job',
      reason: 'migrate.api died without a recorded end (no end after pid 77 died): resume runs it again',
    },
    {
      name: 'passes over one that a person has vouched for',
      rollout: { phase, services: [migrating], waived: ['migrate.api'] },
      seen: (each) => seenOf(each, { api: { migration: work('unknown') } }),
      to: 'verifying',
      reason: 'vouched for: migrate.api',
    },
    {
      name: 'begins it under a new number after a person asked for it again',
      rollout: { phase, services: [migrating], attempts: { 'migrate.api': 2 } },
      to: 'migrating',
      reason: 'migrating api@2',
      actions: [{ kind: 'migrate', service: 'api', attempt: 2 }],
    },
    {
      name: 'fails at its deadline',
      rollout: { phase, services: [migrating] },
      seen: (each) => seenOf(each, { api: { migration: work('running') } }),
      after: 15 * minute,
      to: 'failed',
      reason: 'migrating took longer than its deadline of 15m',
    },
  ];
  it.each(rows)('$name', check);
});

describe('verifying', () => {
  const phase = 'verifying' as const;
  const plain = aPolicy({ canary: [] });
  const well = { to: aRelease() };
  const tested = aPart('api', { smokes: true, checks: true });
  const rows: Row[] = [
    {
      name: 'waits until every instance is healthy',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { to: aRelease({ healthy: 1 }) } }),
      to: 'verifying',
      reason: 'api@2 (1 of 2 healthy)',
    },
    {
      name: 'asks a healthy release its smoke test first',
      rollout: { phase, services: [tested] },
      seen: (each) => seenOf(each, { api: well }),
      to: 'verifying',
      reason: 'the smoke test of api@2',
      actions: [{ kind: 'smoke', service: 'api', attempt: 1 }],
    },
    {
      name: 'then its check',
      rollout: { phase, services: [tested] },
      seen: (each) => seenOf(each, { api: { ...well, smoke: work('done') } }),
      to: 'verifying',
      reason: 'the check of api@2',
      actions: [{ kind: 'check', service: 'api', attempt: 1 }],
    },
    {
      name: 'fails with a smoke test',
      rollout: { phase, services: [tested] },
      seen: (each) => seenOf(each, { api: { ...well, smoke: work('failed', 'GET /: status 500, expected 200') } }),
      to: 'failed',
      reason: 'smoke test of api@2 failed: GET /: status 500, expected 200',
    },
    {
      name: 'asks a person when nobody knows how a check ended',
      rollout: { phase, services: [tested] },
      seen: (each) => seenOf(each, { api: { ...well, smoke: work('done'), check: work('unknown', 'rebooted') } }),
      to: 'verifying',
      paused: 'unknown-job',
      reason: 'check.api died without a recorded end (rebooted)',
    },
    {
      name: 'fails when a release cannot become healthy',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { to: nobody({ failure: 'it ended 4 times in a row: exit code 1' }) } }),
      to: 'failed',
      reason: 'api@2 is not healthy: it ended 4 times in a row: exit code 1',
    },
    {
      name: 'lets a service wait for what it leans on',
      rollout: { phase, services: [api, web] },
      seen: (each) => seenOf(each, { api: { to: aRelease({ healthy: 0 }) }, web: well }),
      to: 'verifying',
      reason: 'waiting for api@2 (0 of 2 healthy); web for api',
    },
    {
      name: 'waits again for one that was verified and then fell ill',
      rollout: { phase, services: [api, web], verified: ['api'] },
      seen: (each) => seenOf(each, { api: { to: aRelease({ healthy: 1 }) }, web: well }),
      to: 'verifying',
      reason: 'waiting for api@2 (1 of 2 healthy)',
    },
    {
      name: 'begins the canary once all are verified',
      rollout: { phase, services: [api, web] },
      seen: (each) => seenOf(each, { api: well, web: well }),
      to: 'canary',
      reason: 'verified; 10 % of sessions go to the canary',
    },
    {
      name: 'gives the canary a share of requests in the cloud, where nothing knows sessions',
      rollout: { phase, services: [{ ...api, away: true }] },
      seen: (each) => seenOf(each, { api: well }),
      to: 'canary',
      reason: 'verified; 10 % of requests go to the canary',
    },
    {
      name: 'promotes at once where no canary is asked for',
      rollout: { phase, policy: plain },
      seen: (each) => seenOf(each, { api: well }),
      to: 'promoting',
      reason: 'no canary is asked for',
    },
    {
      name: 'promotes a first release, which has nothing to be compared with',
      rollout: { phase, services: [aPart('api', { from: null })] },
      seen: (each) => seenOf(each, { api: well }),
      to: 'promoting',
      reason: 'there is no former release to compare with',
    },
    {
      name: 'waits for approvals where there is no canary to wait in',
      rollout: { phase, policy: plain, approvalsNeeded: 2 },
      seen: (each) => seenOf(each, { api: well }),
      to: 'verifying',
      paused: 'approval',
      reason: '2 approvals are needed before it is promoted',
    },
    {
      name: 'fails at its deadline while the edge does not answer',
      rollout: { phase },
      seen: (each) => seenOf(each, { api: { to: aRelease({ healthy: 0, weight: null }) } }, { edgeReachable: false }),
      after: 4 * minute,
      to: 'failed',
      reason: 'verifying took longer than its deadline of 4m (verifying: waiting for api@2 (0 of 2 healthy))',
    },
  ];
  it.each(rows)('$name', check);

  it('begins the analysis of a deploy without canary too, so that its window can be judged', () => {
    const rollout = aRollout({
      phase,
      policy: plain,
      services: [api, aPart('mail', { kind: 'worker' }), aPart('new', { from: null })],
    });
    const { next } = decide(rollout, seenOf(rollout, { api: well, mail: well, new: well }), START + second);
    expect(Object.keys(next.analysis)).toEqual(['api']);
    expect(next.analysis['api']).toMatchObject({ slow: { p75Ms: 100, p95Ms: 300 }, windowStart: null, verdict: null });
  });

  it('does not judge a rollback: nobody wants to be sent to the release that was left', () => {
    const rollout = aRollout({ phase, policy: plain, kind: 'rollback' });
    const { next } = decide(rollout, seenOf(rollout, { api: well }), START + second);
    expect(next.phase).toBe('promoting');
    expect(next.analysis).toEqual({});
  });
});
