import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { EnvironmentConfig, Project, RolloutPolicy, ServiceConfig } from '../../../src/domain/project/project.ts';
import { fakeJobs, type FakeJobBehaviour, type FakeJobs } from '../../../src/drivers/runtime/fake/jobs.ts';
import {
  fakeRuntime,
  type FakeInstanceBehaviour,
  type FakeRuntime,
} from '../../../src/drivers/runtime/fake/runtime.ts';
import { cronTimetable } from '../../../src/drivers/schedule/cron-timetable.ts';
import type { Passwords, Places } from '../../../src/engine/deps.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { Builder } from '../../../src/ports/builder.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { MigrationReader } from '../../../src/ports/migrations.ts';
import type { InstanceSpec, JobSpec } from '../../../src/ports/runtime.ts';
import type { Secrets } from '../../../src/ports/secrets.ts';
import type { Store } from '../../../src/ports/store.ts';
import { openMemoryStore } from '../../../src/store/sqlite/open.ts';
import { emergencyInMemory } from './emergency.ts';
import { type FakeTraffic, fakeTraffic } from './fake-traffic.ts';

/** Time that passes as fast as those who wait for it let it: a sleep is over at the next turn of the event loop. */
export function fastClock(start = 1_700_000_000_000): Clock {
  let now = start;
  return {
    now: () => now,
    async sleep(ms) {
      const until = now + ms;
      await turn();
      now = Math.max(now, until);
    },
  };
}

export interface FakeBuilder extends Builder {
  built: string[];
  outcome: (service: string) => { state: 'done' } | { state: 'failed'; detail: string };
}

function fakeBuilder(): FakeBuilder {
  const done = new Map<string, string>();
  const services = new Map<string, string>();
  const builder: FakeBuilder = {
    built: [],
    outcome: () => ({ state: 'done' }),
    async start(request) {
      if (done.has(request.id)) return;
      builder.built.push(request.service.name);
      services.set(request.id, request.service.name);
      done.set(request.id, `sha-${randomUUID()}`);
    },
    async observe(id) {
      const artifact = done.get(id);
      if (artifact === undefined) return { state: 'absent' };
      const outcome = builder.outcome(services.get(id) ?? '');
      return outcome.state === 'failed' ? outcome : { state: 'done', artifact, reused: false, detail: 'built' };
    },
    async examine() {},
    async cancel() {},
    async remove() {},
    inputDigest: async () => randomUUID(),
    artifactOf: async () => null,
    sourceFiles: async () => [],
    artifactFiles: async () => [],
    artifactPath: (artifact) => `/artifacts/${artifact}`,
    has: async () => true,
    collect: async () => ({ artifacts: 0, bytes: 0 }),
    sourceInfo: async (_root, label) => ({ commit: 'c0ffee', dirty: false, label }),
  };
  return builder;
}

export interface World {
  engine: Engine;
  store: Store;
  clock: Clock;
  runtime: FakeRuntime;
  jobs: FakeJobs;
  traffic: FakeTraffic;
  builder: FakeBuilder;
  secrets: Secrets;
  /** What jobs and instances do; asked at each start. */
  behave: { job: (spec: JobSpec) => FakeJobBehaviour; instance: (spec: InstanceSpec) => FakeInstanceBehaviour };
  close(): Promise<void>;
}

/** Paths that nobody looks at. */
export const fakePlaces: Places = {
  instanceLog: ({ instance }) => `/logs/${instance}`,
  instanceLogs: async () => [],
  projectFolder: async (root) => root,
  jobLog: ({ job }) => `/logs/${job}`,
  data: ({ path }) => `/data/${path}`,
  accessLog: ({ project, environment }) => `/logs/access/${project}/${environment}`,
  keepPage: async (file) => `/pages${file}`,
};

/** As good as a test needs it. */
export const fakePasswords: Passwords = {
  hash: async (password) => `hash of ${password}`,
  matches: async (password, hash) => hash === `hash of ${password}`,
};

export const noMigrations: MigrationReader = { examine: async () => ({ findings: [], read: 0 }) };

export const noSecrets = (): Secrets => ({
  set: async () => {},
  setAll: async () => [],
  list: async () => [],
  remove: async () => false,
  resolve: async () => ({}),
  forgetFormer: async () => 0,
});

/** The real engine and store on drivers in memory and, unless another one is given, a clock that runs ahead. */
export async function openWorld({ clock = fastClock() }: { clock?: Clock } = {}): Promise<World> {
  const store = await openMemoryStore();
  const behave: World['behave'] = { job: () => ({ kind: 'exit', code: 0 }), instance: () => ({}) };
  const runtime = fakeRuntime({ clock, behaviour: (spec) => behave.instance(spec) });
  const jobs = fakeJobs({ clock, behaviour: (spec) => behave.job(spec) });
  const traffic = fakeTraffic(() => clock.now());
  const builder = fakeBuilder();
  const secrets = noSecrets();
  const quiet = (): void => {};
  const engine = createEngine({
    store,
    clock,
    timetable: cronTimetable(),
    runtime,
    jobs,
    traffic,
    builder,
    migrations: noMigrations,
    secrets,
    log: {
      info: quiet,
      warn: quiet,
      error: process.env['DEBUG_WORLD'] === undefined ? quiet : (f, m) => console.error(m, f),
    },
    passwords: fakePasswords,
    places: fakePlaces,
    newId: () => randomUUID().slice(0, 8),
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    fence: await store.nextFence(),
    holds: () => true,
    onFenced: quiet,
    emergency: { traffic, awaySince: null, ...emergencyInMemory() },
  });
  return {
    engine,
    store,
    clock,
    runtime,
    jobs,
    traffic,
    builder,
    secrets,
    behave,
    async close() {
      await engine.stop();
      await store.close();
    },
  };
}

export const policy = (overrides: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  canary: [],
  analysis: { errorRate: 0.01, p95Ms: 1000, minRequests: null },
  onInconclusive: 'pause',
  rollbackWindowMs: 60_000,
  holdback: 0,
  drainMs: 1_000,
  deadlines: {
    buildingMs: 600_000,
    startingMs: 60_000,
    migratingMs: 600_000,
    verifyingMs: 120_000,
    promotingMs: 60_000,
  },
  pauseMs: 86_400_000,
  keepReleases: 5,
  keepFailed: false,
  ...overrides,
});

export const service = (name: string, overrides: Partial<ServiceConfig> = {}): ServiceConfig => ({
  name,
  kind: 'http',
  dir: '.',
  build: null,
  run: 'node main.js',
  migrate: null,
  smoke: [],
  check: null,
  static: null,
  health: { path: '/health', graceMs: 0, deadlineMs: 60_000, intervalMs: 1_000, timeoutMs: 1_000 },
  instances: 1,
  timeoutMs: 30_000,
  env: {},
  routes: [{ host: null, path: '/' }],
  after: [],
  resources: { memory: null, cpu: null },
  data: [],
  stopGraceMs: 1_000,
  rollout: policy(),
  ...overrides,
});

export const project = (services: ServiceConfig[], environment: Partial<EnvironmentConfig> = {}): Project => ({
  name: 'shop',
  root: '/shop',
  environment: {
    name: 'production',
    domain: null,
    port: 8080,
    bind: '127.0.0.1',
    approve: { people: 0 },
    ...environment,
  },
  services,
  secrets: [],
});
