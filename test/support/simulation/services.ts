import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import { policy, service } from '../engine/world.ts';
import type { Random } from './random.ts';

/** One to three services, as small teams have them, with times that make a history short. */
export function drawServices(chance: Random): ServiceConfig[] {
  const steps = chance.pick([
    [],
    [{ weight: 50, forMs: 4_000 }],
    [
      { weight: 10, forMs: 3_000 },
      { weight: 50, forMs: 2_000 },
    ],
  ]);
  const rollout = policy({
    canary: steps,
    rollbackWindowMs: chance.pick([0, 5_000, 20_000]),
    onInconclusive: chance.pick(['pause', 'promote', 'abort']),
    holdback: chance.chance(0.1) ? 1 : 0,
    drainMs: 500,
    deadlines: {
      buildingMs: 20_000,
      startingMs: 12_000,
      migratingMs: 20_000,
      verifyingMs: 20_000,
      promotingMs: 12_000,
    },
    pauseMs: 30_000,
  });
  const health = { path: '/health', graceMs: 0, deadlineMs: 8_000, intervalMs: 500, timeoutMs: 500 };
  const common = { rollout, health, stopGraceMs: 1_000 };
  const migrate = (): Partial<ServiceConfig> => (chance.chance(0.4) ? { migrate: 'migrate' } : {});
  const contract = (): Partial<ServiceConfig> => (chance.chance(0.5) ? { contract: 'contract' } : {});
  const smoke = (): Partial<ServiceConfig> =>
    chance.chance(0.3) ? { smoke: [{ kind: 'command', command: 'smoke' }] } : {};
  const api = service('api', {
    ...common,
    ...migrate(),
    ...contract(),
    ...smoke(),
    routes: [{ host: null, path: '/api' }],
    instances: chance.int(1, 2),
    ...(chance.chance(0.4) ? { scale: { max: 4, concurrency: 5, cpu: 0.7, cooldownMs: 5_000 } } : {}),
  });
  const web = service('web', {
    ...common,
    ...smoke(),
    after: chance.chance(0.5) ? ['api'] : [],
    env: { API: [{ serviceUrl: 'api' }] },
    routes: [{ host: null, path: '/' }],
  });
  const mail = service('mail', {
    ...common,
    ...contract(),
    kind: 'worker',
    routes: [],
    ...(chance.chance(0.3) ? { check: 'check' } : {}),
  });
  const solo = service('solo', {
    ...common,
    ...migrate(),
    ...smoke(),
    ...(chance.chance(0.4) ? { kind: 'worker' as const, routes: [], smoke: [] } : {}),
    ...(chance.chance(0.4) ? { after: ['api'], env: { API: [{ serviceUrl: 'api' }] } } : {}),
    overlap: false,
    routes: chance.chance(0.7) ? [{ host: null, path: '/solo' }] : [],
    rollout: { ...rollout, canary: [], holdback: 0 },
  });
  const tidy = service('tidy', {
    ...common,
    kind: 'worker',
    routes: [],
    env: chance.chance(0.5) ? { API: [{ serviceUrl: 'api' }] } : {},
    ...(chance.chance(0.3) ? { check: 'check' } : {}),
    schedule: { at: ['* * * * *'], timeZone: 'UTC', lateMs: 30_000, deadlineMs: chance.int(5_000, 90_000) },
  });
  return chance.pick([
    [api],
    [api, web],
    [api, web, mail],
    [api, mail],
    [api, solo],
    [api, web, solo],
    [api, tidy],
    [api, solo, tidy],
  ]);
}
