import { createHash, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { cloudRouting, type CloudRunPace } from '../../../src/app/cloud/cloud-run.ts';
import { type Drivers, routed } from '../../../src/app/cloud/routed.ts';
import type { CloudConfig, CloudService } from '../../../src/domain/cloud/config.ts';
import type { Project, RolloutPolicy } from '../../../src/domain/project/project.ts';
import { fakeJobs } from '../../../src/drivers/runtime/fake/jobs.ts';
import { fakeRuntime } from '../../../src/drivers/runtime/fake/runtime.ts';
import { cronTimetable } from '../../../src/drivers/schedule/cron-timetable.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { TOKEN } from '../../emulator/emulated.ts';
import { emergencyInMemory } from '../engine/emergency.ts';
import { fakeTraffic } from '../engine/fake-traffic.ts';
import { fakePasswords, fakePlaces, noMigrations, noSecrets, policy, project, service } from '../engine/world.ts';
import { tempDir } from '../temp.ts';

export const PLACE = { project: 'demo-project', region: 'europe-west1' };

/** Counts come as late as a test can wait for. */
export const PACE: CloudRunPace = {
  freshMs: 50,
  metricsPeriodMs: 1_000,
  metricsLateMs: 600,
  metricsEveryMs: 300,
  settleMs: 200,
};

export const cloudService = (change: Partial<CloudService> = {}): CloudService => ({
  service: 'api',
  name: 'shop-production-api',
  public: true,
  database: false,
  port: 8080,
  memory: 512 * 2 ** 20,
  cpu: 1,
  minInstances: 0,
  maxInstances: 4,
  timeoutS: 60,
  concurrency: 80,
  health: '/health',
  dockerfile: 'Dockerfile',
  context: '.',
  image: null,
  env: {},
  urlVariable: 'API_URL',
  ...change,
});

export const cloudConfig = (services: CloudService[]): CloudConfig => ({
  provider: 'google',
  ...PLACE,
  apis: [],
  labels: {},
  network: null,
  account: { name: 'shop-production', roles: [], keyFile: null },
  repository: { name: 'apps', keepVersions: 5 },
  database: null,
  buckets: [],
  secrets: [],
  budget: null,
  billingExport: null,
  logDays: 30,
  auditLogs: false,
  services,
  runsServices: true,
  urlFile: null,
  alerts: { emails: [], everyS: 300 },
});

/** A project of one service on Cloud Run that is this image. */
export function shop(
  image: string,
  { rollout = {}, cloud = {} }: { rollout?: Partial<RolloutPolicy>; cloud?: Partial<CloudService> } = {},
): Project {
  const health = { path: '/health', graceMs: 0, deadlineMs: 30_000, intervalMs: 200, timeoutMs: 2_000 };
  return {
    ...project([service('api', { health, run: null, rollout: policy(rollout) })]),
    cloud: cloudConfig([cloudService({ image, ...cloud })]),
  };
}

/** What the engine has on this machine; nothing of a cloud environment may reach it. */
export function localDrivers(): Drivers {
  return {
    runtime: fakeRuntime({ clock: systemClock }),
    jobs: fakeJobs({ clock: systemClock, behaviour: () => ({ kind: 'exit', code: 0 }) }),
    traffic: fakeTraffic(() => Date.now()),
    builder: {
      start: async () => {},
      observe: async () => ({ state: 'absent' }),
      examine: async () => {},
      cancel: async () => {},
      remove: async () => {},
      inputDigest: async () => randomUUID(),
      artifactOf: async () => null,
      sourceFiles: async () => [],
      artifactFiles: async () => [],
      artifactPath: (artifact) => `/artifacts/${artifact}`,
      has: async () => true,
      collect: async () => ({ artifacts: 0, bytes: 0 }),
      sourceInfo: async (_root, label) => ({ commit: 'c0ffee', dirty: false, label }),
    },
  };
}

export interface CloudWorld {
  engine: Engine;
  drivers: Drivers;
  close(): Promise<void>;
}

/** The real engine with the drivers of Cloud Run, at an emulator; over a store that outlives it. */
export async function openCloudWorld(
  store: Store,
  url: string,
  change: { pace?: Partial<CloudRunPace>; home?: string } = {},
): Promise<CloudWorld> {
  const show = process.env['DEBUG_WORLD'] === undefined;
  const quiet = (fields: Record<string, unknown>, message: string): void => {
    if (!show) console.error(new Date().toISOString(), message, JSON.stringify(fields));
  };
  const log = { info: quiet, warn: quiet, error: quiet };
  const env = { EVENKEEL_CLOUD_ENDPOINT: url, EVENKEEL_CLOUD_TOKEN: TOKEN };
  const routing = cloudRouting({
    env,
    home: change.home ?? tempDir('cloud-home'),
    store,
    log,
    pace: { ...PACE, ...change.pace },
  });
  const drivers = routed(localDrivers(), routing);
  const home = tempDir('cloud-logs');
  const engine = createEngine({
    store,
    clock: systemClock,
    timetable: cronTimetable(),
    ...drivers,
    migrations: noMigrations,
    secrets: noSecrets(),
    log,
    passwords: fakePasswords,
    places: { ...fakePlaces, jobLog: ({ job }) => `${home}/${job}.log` },
    newId: () => `r${randomUUID().slice(0, 8)}`,
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    fence: await store.nextFence(),
    holds: () => true,
    onFenced: () => quiet({}, 'fenced'),
    emergency: { traffic: drivers.traffic, awaySince: null, ...emergencyInMemory() },
  });
  return {
    engine,
    drivers,
    async close() {
      await engine.stop();
      routing.close();
    },
  };
}

export interface Load {
  /** Of each body, how often it was answered; and of each status. */
  seen: Map<string, number>;
  statuses: Map<number, number>;
  /** What was not answered with 200: `500 v3`, `0 read ECONNRESET`. */
  odd: Map<string, number>;
  stop(): Promise<void>;
}

/** Asks a service's own address through the emulator's port, so many times a second, each time as somebody new. */
export function load(emulator: string, url: string, perSecond: number): Load {
  const seen = new Map<string, number>();
  const statuses = new Map<number, number>();
  const odd = new Map<string, number>();
  const add = <Key>(counts: Map<Key, number>, key: Key): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  const open = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const asked = once(emulator, url).then(
      ({ status, body }) => {
        add(statuses, status);
        add(seen, body);
        if (status !== 200) add(odd, `${status} ${body}`);
      },
      (error: unknown) => {
        add(statuses, 0);
        add(odd, `0 ${error instanceof Error ? error.message : String(error)}`);
      },
    );
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  }, 1_000 / perSecond);
  return {
    seen,
    statuses,
    odd,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

export function once(emulator: string, url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { host, pathname } = new URL(url);
    const sent = httpRequest(`${emulator}${pathname}`, { headers: { host }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
