import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/domain/release/release.ts';
import { type DesiredRelease, desiredServices } from '../../src/domain/rollout/desired.ts';
import type { Phase, Rollout } from '../../src/domain/rollout/rollout.ts';
import { aPart, aPolicy, aRollout, hour, START } from '../support/rollout/builders.ts';

const deployed = (service: string, current: string | null = `${service}@1`): Deployment => ({
  project: 'chat',
  environment: 'production',
  service,
  current,
  former: null,
  contracted: null,
  internalPort: null,
  previewPort: null,
});

const releasesOf = (rollouts: Rollout[], service = 'api', current: string | null = `${service}@1`): DesiredRelease[] =>
  desiredServices([deployed(service, current)], rollouts)[0]?.releases ?? [];

/** `api@1:90 api@2:10`, for what runs. */
const shown = (releases: DesiredRelease[]): string =>
  releases
    .filter((each) => each.run)
    .map((each) => `${each.release}:${each.weight}`)
    .join(' ');

const at = (phase: Phase, over: Partial<Rollout> = {}): Rollout => aRollout({ phase, verified: ['api'], ...over });

describe('what a service ought to be', () => {
  it('without a rollout: its current release, or nothing', () => {
    expect(shown(releasesOf([]))).toBe('api@1:100');
    expect(releasesOf([], 'api', null)).toEqual([]);
  });

  it.each<[string, Rollout, string]>([
    ['nothing new before it is built', at('building'), 'api@1:100'],
    ['both, without traffic, from starting on', at('starting'), 'api@1:100 api@2:0'],
    ['still without traffic while it is verified', at('verifying'), 'api@1:100 api@2:0'],
    ['the weight of the first step', at('canary'), 'api@1:90 api@2:10'],
    ['the weight of the next step', at('canary', { step: 1 }), 'api@1:50 api@2:50'],
    ['the weight of the last step at the gate', at('canary', { step: 2 }), 'api@1:50 api@2:50'],
    ['all of it from promoting on, beside a hot former one', at('promoting'), 'api@1:0 api@2:100'],
    ['the same in the window', at('watching'), 'api@1:0 api@2:100'],
    ['a holdback, where one is asked for', at('watching', { policy: aPolicy({ holdback: 1 }) }), 'api@1:1 api@2:99'],
    ['only what serves after a failure', at('canary', { end: 'failed' }), 'api@1:100'],
  ])('%s', (_, rollout, expected) => expect(shown(releasesOf([rollout]))).toBe(expected));

  it('starts a service with a migration, or that leans on a new one, only when its time has come', () => {
    const migrates = at('starting', { services: [aPart('api', { migrates: true })], verified: [] });
    expect(shown(releasesOf([migrates]))).toBe('api@1:100');
    expect(shown(releasesOf([{ ...migrates, phase: 'verifying' }]))).toBe('api@1:100 api@2:0');
    const leans = at('verifying', { services: [aPart('db'), aPart('api', { after: ['db'] })], verified: [] });
    expect(shown(releasesOf([leans]))).toBe('api@1:100');
    expect(shown(releasesOf([{ ...leans, verified: ['db'] }]))).toBe('api@1:100 api@2:0');
  });

  it('reaches a service that is new by those whom the canary of its unit sends there', () => {
    const unit = at('canary', { services: [aPart('web'), aPart('api', { from: null })] });
    expect(shown(releasesOf([unit], 'api', null))).toBe('api@2:100');
    expect(shown(releasesOf([{ ...unit, phase: 'verifying' }], 'api', null))).toBe('api@2:0');
  });

  it('lets a first release be reached by its fellows once it was verified, until its routes open', () => {
    const services = [aPart('api', { from: null }), aPart('web')];
    const earlyIn = (over: Partial<Rollout>, current: string | null = null) =>
      desiredServices([deployed('api', current)], [at('verifying', { services, ...over })])[0]?.early;
    expect(earlyIn({ verified: [] })).toBe(null);
    expect(earlyIn({ verified: ['api'] })).toBe('api@2');
    expect(earlyIn({ verified: ['api'], phase: 'canary' })).toBe(null);
    expect(earlyIn({ verified: ['api'], end: 'failed' })).toBe(null);
    expect(earlyIn({ verified: ['api'], services: [aPart('api')] }, 'api@1')).toBe(null);
  });

  it('lets what had no former release vanish when it is rolled back', () => {
    const unit = at('watching', { end: 'rolled-back', services: [aPart('api', { from: null }), aPart('web')] });
    expect(releasesOf([unit], 'api', null)).toEqual([]);
    expect(shown(releasesOf([unit], 'web'))).toBe('web@1:100');
  });

  it('takes a service that the file lost out of traffic with the switch, and gives it back with a rollback', () => {
    const removes = [{ service: 'old', kind: 'http' as const, release: 'old@1' }];
    const goes = at('verifying', { services: [aPart('api')], removes });
    expect(shown(releasesOf([goes], 'old'))).toBe('old@1:100');
    expect(shown(releasesOf([{ ...goes, phase: 'promoting' }], 'old'))).toBe('old@1:0');
    // Recorded as not serving any more, and hot until the window is over.
    expect(shown(releasesOf([{ ...goes, phase: 'watching' }], 'old', null))).toBe('old@1:0');
    expect(releasesOf([{ ...goes, phase: 'complete', end: 'complete' }], 'old', null)).toEqual([]);
    expect(shown(releasesOf([{ ...goes, phase: 'promoting', end: 'failed' }], 'old'))).toBe('old@1:100');
    const worker = { ...goes, phase: 'promoting' as const, removes: [{ ...removes[0]!, kind: 'worker' as const }] };
    expect(releasesOf([worker], 'old')).toEqual([]);
    const own = at('watching', { id: 'r0', createdAt: START - 1, services: [aPart('old', { from: null })] });
    expect(shown(releasesOf([{ ...goes, phase: 'promoting' }, own], 'old'))).toBe('old@1:0');
    const again = at('starting', { id: 'r2', createdAt: START + 1, services: [aPart('old', { to: 'old@2' })] });
    expect(shown(releasesOf([again, { ...goes, phase: 'promoting' }], 'old'))).toBe('old@1:100 old@2:0');
  });

  it('stops a former worker at the switch, and holds nothing back with it', () => {
    const worker = { services: [aPart('api', { kind: 'worker' as const })], policy: aPolicy({ holdback: 5 }) };
    expect(shown(releasesOf([at('canary', worker)]))).toBe('api@1:90 api@2:10');
    expect(shown(releasesOf([at('promoting', worker)]))).toBe('api@2:100');
  });

  it('keeps a failed release for a look, until the next rollout, and never a worker', () => {
    const policy = aPolicy({ keepFailed: true });
    const kept = at('canary', { end: 'failed', policy });
    expect(shown(releasesOf([kept]))).toBe('api@1:100 api@2:0');
    expect(shown(releasesOf([{ ...kept, settled: true }]))).toBe('api@1:100');
    expect(shown(releasesOf([{ ...kept, phase: 'building' }]))).toBe('api@1:100');
    expect(shown(releasesOf([{ ...kept, services: [aPart('api', { kind: 'worker' })] }]))).toBe('api@1:100');
    const next = aRollout({ id: 'r2', createdAt: START + hour, services: [aPart('api', { to: 'api@3' })] });
    expect(shown(releasesOf([kept, next]))).toBe('api@1:100');
  });

  it('follows the newer rollout where one is in its window, whatever the clock said', () => {
    const watching = at('watching', { id: 'r1', createdAt: START + hour });
    const newer = at('canary', {
      id: 'r2',
      createdAt: START,
      services: [aPart('api', { from: 'api@2', to: 'api@3' })],
    });
    expect(shown(releasesOf([watching, newer], 'api', 'api@2'))).toBe('api@2:90 api@3:10');
  });

  it('counts evidence from the first traffic to the end of the window, canary or not', () => {
    const analysis = {
      api: {
        slow: { p75Ms: 1, p95Ms: 2 },
        evidence: { rollout: 'r1/api', epochs: {} },
        windowStart: null,
        verdict: null,
      },
    };
    const split = (phase: Phase) => desiredServices([deployed('api')], [at(phase, { analysis })])[0]?.split;
    expect(split('verifying')).toBeNull();
    for (const phase of ['canary', 'promoting', 'watching'] as const)
      expect(split(phase)).toEqual({
        rollout: 'r1/api',
        canary: 'api@2',
        baseline: 'api@1',
        slow: { p75Ms: 1, p95Ms: 2 },
      });
  });

  it('hashes sessions together for all services of a rollout, and for as long as it lasts', () => {
    const unit = (phase: Phase) =>
      desiredServices([deployed('api'), deployed('web')], [at(phase, { services: [aPart('api'), aPart('web')] })]);
    for (const phase of ['canary', 'promoting', 'watching'] as const)
      expect(unit(phase).map((each) => each.unit)).toEqual(['r1', 'r1']);
  });
});
