import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../src/domain/project/project.ts';
import { beginRollout, type Change, unitPolicy } from '../../src/domain/rollout/begin.ts';
import { aPolicy, hour, minute, START } from '../support/rollout/builders.ts';

const config = (name: string, over: Partial<ServiceConfig> = {}): ServiceConfig => ({
  name,
  kind: 'http',
  dir: '.',
  build: 'npm ci',
  run: 'node main.js',
  migrate: 'npm run migrate',
  smoke: [{ kind: 'http', method: 'GET', path: '/', status: 200, bodyIncludes: null }],
  check: null,
  static: null,
  health: { path: '/health', graceMs: 0, deadlineMs: minute, intervalMs: 1000, timeoutMs: 1000 },
  instances: 2,
  timeoutMs: 1000,
  env: {},
  routes: [],
  after: [],
  resources: { memory: null, cpu: null },
  data: [],
  stopGraceMs: 1000,
  rollout: aPolicy(),
  ...over,
});

const begin = (changes: Change[], over: { approvalsNeeded?: number; keepFailed?: boolean | null } = {}) =>
  beginRollout({
    id: 'r1',
    project: 'chat',
    environment: 'production',
    kind: 'deploy',
    changes,
    approvalsNeeded: 1,
    keepFailed: null,
    by: 'ann',
    reason: 'deploy of api@2 by ann',
    now: START,
    ...over,
  });

const fresh = (name: string, over: Partial<ServiceConfig> = {}): Change => ({
  config: config(name, over),
  from: `${name}@1`,
  to: `${name}@2`,
  old: false,
});

describe('a rollout begins', () => {
  it('with the work that its releases have', () => {
    const { services } = begin([fresh('api'), fresh('web', { migrate: null, smoke: [], check: 'npm test' })]);
    expect(services).toMatchObject([
      { service: 'api', builds: true, migrates: true, smokes: true, checks: false },
      { service: 'web', builds: true, migrates: false, smokes: false, checks: true },
    ]);
  });

  it('with waits only for services of its own unit', () => {
    const { services } = begin([fresh('api'), fresh('web', { after: ['api', 'mail'] })]);
    expect(services.map((each) => each.after)).toEqual([[], ['api']]);
  });

  it('without canary, work and approvals where everything is old: it is a way back', () => {
    const back = begin([{ ...fresh('api'), from: 'api@2', to: 'api@1', old: true }]);
    expect(back).toMatchObject({ approvalsNeeded: 0, policy: { canary: [] } });
    expect(back.services).toMatchObject([{ builds: false, migrates: false, smokes: false, checks: false }]);
    expect(begin([fresh('api')])).toMatchObject({
      approvalsNeeded: 1,
      policy: { canary: [{ weight: 10 }, { weight: 50 }] },
    });
  });

  it('keeps what fails when asked to, whatever the file says', () => {
    expect(begin([fresh('api')], { keepFailed: true }).policy.keepFailed).toBe(true);
    expect(begin([fresh('api')]).policy.keepFailed).toBe(false);
  });
});

describe('the policy of a unit', () => {
  it('is the most careful of its services', () => {
    const quick = aPolicy({
      canary: [],
      onInconclusive: 'promote',
      rollbackWindowMs: minute,
      deadlines: { ...aPolicy().deadlines, buildingMs: hour },
    });
    const careful = aPolicy({ onInconclusive: 'abort', holdback: 1 });
    expect(unitPolicy([quick, careful])).toMatchObject({
      canary: careful.canary,
      onInconclusive: 'abort',
      rollbackWindowMs: hour,
      holdback: 1,
      deadlines: { buildingMs: hour },
    });
    expect(unitPolicy([careful, aPolicy({ onInconclusive: 'pause' })]).onInconclusive).toBe('pause');
  });
});
