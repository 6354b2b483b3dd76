import type {
  EnvTemplate,
  HealthConfig,
  MigrationsConfig,
  Resources,
  Route,
  Schedule,
  ServiceConfig,
  ServiceKind,
  SmokeCheck,
} from '../../domain/project/project.ts';
import {
  DEFAULT_HEALTH,
  DEFAULT_INSTANCES,
  DEFAULT_SCHEDULE,
  DEFAULT_TIMEOUT_MS,
  defaultStopGraceMs,
} from '../defaults.ts';
import { DEFAULT_SCALE } from '../../domain/scaling/scale.ts';
import type { WrittenService } from '../schema/service.ts';
import { resolveRollout } from './rollout.ts';

export interface ServiceSurroundings {
  environment: string;
  domain: string | null;
  env: EnvTemplate;
  /** Another service uses its url. */
  isAsked: boolean;
  /** Cloud Run itself starts as many copies as it takes; to a rollout they are one. */
  onCloudRun: boolean;
}

/** One service with every default applied. */
export function resolveService(name: string, written: WrittenService, around: ServiceSurroundings): ServiceConfig {
  const health = resolveHealth(written.health);
  return {
    name,
    kind: kindOf(written, around.isAsked),
    dir: written.dir ?? '.',
    build: written.build ?? null,
    run: written.run ?? null,
    migrate: written.migrate ?? null,
    // Absent, not null: what a release was configured with before there was this key is still the same.
    ...(written.migrations === undefined ? {} : { migrations: resolveMigrations(written.migrations) }),
    ...(written.contract === undefined ? {} : { contract: written.contract }),
    smoke: (written.smoke ?? []).map(resolveSmoke),
    check: written.check ?? null,
    static: written.static ?? null,
    health,
    ...(around.onCloudRun ? { instances: 1 } : resolveInstances(written.instances)),
    ...(written.schedule === undefined ? {} : { schedule: resolveSchedule(written.schedule) }),
    // Absent where it says nothing: what a release is made from must not change with the version of evenkeel.
    ...(written.overlap === false ? { overlap: false as const } : {}),
    timeoutMs: written.timeout ?? DEFAULT_TIMEOUT_MS,
    env: around.env,
    routes: resolveRoutes(written, around.domain),
    after: [...new Set(written.after ?? [])],
    resources: resourcesOf(written.resources),
    ...(written.user === undefined ? {} : { user: written.user }),
    data: [...new Set(written.data ?? [])],
    stopGraceMs: written.stopGrace ?? defaultStopGraceMs(around.environment),
    rollout: resolveRollout(written, around.environment, health.deadlineMs),
  };
}

/** Routes that name no host answer on the domain of the environment. */
export function resolveRoutes(written: WrittenService, domain: string | null): Route[] {
  return (written.routes ?? []).map(({ host, path }) => ({ host: host ?? domain, path }));
}

export function resolveHealth(written: WrittenService['health']): HealthConfig {
  if (written === undefined || written === false) return DEFAULT_HEALTH;
  return {
    path: written.path ?? null,
    graceMs: written.grace ?? DEFAULT_HEALTH.graceMs,
    deadlineMs: written.deadline ?? DEFAULT_HEALTH.deadlineMs,
    intervalMs: written.interval ?? DEFAULT_HEALTH.intervalMs,
    timeoutMs: written.timeout ?? DEFAULT_HEALTH.timeoutMs,
  };
}

function kindOf(written: WrittenService, isAsked: boolean): ServiceKind {
  if (written.static !== undefined) return 'static';
  const speaksHttp = written.routes !== undefined || written.health !== undefined || written.port !== undefined;
  return speaksHttp || isAsked ? 'http' : 'worker';
}

/** Without room between the two there is nothing to follow. */
function resolveInstances(written: WrittenService['instances']): Pick<ServiceConfig, 'instances' | 'scale'> {
  if (written === undefined || typeof written === 'number') return { instances: written ?? DEFAULT_INSTANCES };
  const { max, concurrency, cpu, cooldown } = written;
  // Nobody would start the first one when a request comes.
  const min = Math.max(1, written.min);
  if (max <= min) return { instances: min };
  return {
    instances: min,
    scale: {
      max,
      concurrency: concurrency ?? DEFAULT_SCALE.concurrency,
      cpu: cpu === undefined ? DEFAULT_SCALE.cpu : cpu / 100,
      cooldownMs: cooldown ?? DEFAULT_SCALE.cooldownMs,
    },
  };
}

function resolveSchedule({ at, timeZone, late, deadline }: NonNullable<WrittenService['schedule']>): Schedule {
  const { timeZone: zone, lateMs, deadlineMs } = DEFAULT_SCHEDULE;
  return { at, timeZone: timeZone ?? zone, lateMs: late ?? lateMs, deadlineMs: deadline ?? deadlineMs };
}

const resolveMigrations = (written: NonNullable<WrittenService['migrations']>): MigrationsConfig => ({
  folders: written.folders ?? null,
  breaking: written.breaking ?? 'refuse',
});

type WrittenSmoke = NonNullable<WrittenService['smoke']>[number];

function resolveSmoke(written: WrittenSmoke): SmokeCheck {
  if (typeof written === 'string') {
    // A program at an absolute path is written as { run: /path/to/it }.
    if (!written.startsWith('/')) return { kind: 'command', command: written };
    return { kind: 'http', method: 'GET', path: written, status: 200, bodyIncludes: null };
  }
  if ('run' in written) return { kind: 'command', command: written.run };
  const { path, method, status, body } = written;
  return { kind: 'http', method: method ?? 'GET', path, status: status ?? 200, bodyIncludes: body ?? null };
}

function resourcesOf(written: WrittenService['resources'] = {}): Resources {
  const { memory, cpu, processes, openFiles } = written;
  return {
    memory: memory ?? null,
    cpu: cpu ?? null,
    ...(processes === undefined ? {} : { processes }),
    ...(openFiles === undefined ? {} : { openFiles }),
  };
}
