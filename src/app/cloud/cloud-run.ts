import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import { isAway } from '../../domain/project/is-away.ts';
import { foreseenUrl } from '../../domain/cloud/names.ts';
import type { CloudLogs } from '../../ports/cloud-logs.ts';
import type { Store } from '../../ports/store.ts';
import type { Asked } from '../../ports/traffic.ts';
import { CloudRunJobs } from '../../drivers/cloud-run/jobs.ts';
import { CloudRunRuntime } from '../../drivers/cloud-run/runtime.ts';
import { CloudRunTraffic } from '../../drivers/cloud-run/traffic.ts';
import { HealthChecks } from '../../drivers/cloud-run/health.ts';
import { ImageBuilds } from '../../drivers/cloud-run/image-builds.ts';
import { Monitoring } from '../../drivers/cloud-run/monitoring.ts';
import { RunApi } from '../../drivers/cloud-run/run-api.ts';
import { type CloudEnvironment, Views } from '../../drivers/cloud-run/view.ts';
import { metricsPace } from './metrics-pace.ts';
import { askServices } from './ask-service.ts';
import { examineImages, imageRequest, imageSource } from './images.ts';
import type { CloudLog } from './routed-logs.ts';
import type { CloudDrivers, Routing } from './routed.ts';

/** How the cloud is asked; times in ms. */
export interface CloudRunPace {
  /** How old may be what is said of an environment. */
  freshMs: number;
  /** Between two points of Cloud Monitoring, until one is complete, and between two looks. */
  metricsPeriodMs: number;
  metricsLateMs: number;
  metricsEveryMs: number;
  /** Until all requests follow a new split. */
  settleMs: number;
}

/**
 * Cloud Monitoring samples once a minute, and what it has sampled can be read within three more
 * (https://cloud.google.com/monitoring/api/metrics_gcp); one is added for points that come later still.
 */
const USUAL: CloudRunPace = {
  freshMs: 1_000,
  metricsPeriodMs: 60_000,
  metricsLateMs: 240_000,
  metricsEveryMs: 30_000,
  settleMs: 30_000,
};

export interface CloudRunOptions {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  store: Pick<Store, 'environment' | 'environments' | 'rollout'>;
  log: { warn: (fields: Record<string, unknown>, message: string) => void };
  pace?: Partial<CloudRunPace>;
}

/** What the engine's drivers need to reach environments on Cloud Run. Nothing of Google's is loaded before one is asked. */
export function cloudRouting(
  options: CloudRunOptions,
): Routing & { logOf(scope: Asked): Promise<CloudLog>; close(): void } {
  const { store } = options;
  let opened: Promise<Opened> | null = null;
  const cloud = (): Promise<Opened> => (opened ??= open());
  /** As it was seen last, for the time in which the store is away: what is taken back then must find its way. */
  const seen = new Map<string, CloudEnvironment | null>();
  const environmentOf = async (scope: Asked): Promise<CloudEnvironment | null> => {
    const key = `${scope.project}/${scope.environment}`;
    try {
      const found = await findEnvironment(scope);
      seen.set(key, found);
      return found;
    } catch {
      return seen.get(key) ?? null;
    }
  };
  const findEnvironment = async (scope: Asked): Promise<CloudEnvironment | null> => {
    const record = await store.environment(scope.project, scope.environment);
    const cloud = record?.config.services.find((each) => each.cloud !== undefined)?.cloud;
    if (cloud === undefined) return null;
    const { project, environment } = scope;
    return { project: cloud.project, region: cloud.region, scope: { project, environment } };
  };
  const scopeOfJob = jobScopes(store);
  const open = async (): Promise<Opened> => {
    const started = openCloudRun(options, {
      environmentOf,
      ofJob: async (job) => {
        const scope = await scopeOfJob(job);
        return scope === null ? null : environmentOf(scope);
      },
    });
    // Whoever was not signed in may be by the next look.
    started.catch(() => (opened = null));
    return started;
  };
  return {
    isCloud: async (scope) => (await environmentOf(scope)) !== null,
    environments: async () => {
      const all = await store.environments();
      return all.filter(({ config }) => isAway(config)).map(({ project, environment }) => ({ project, environment }));
    },
    scopeOfJob,
    cloud,
    logOf: async (scope) => (await cloud()).logOf(scope),
    close: () => void opened?.then((drivers) => drivers.close()).catch(() => undefined),
  };
}

/** Rollouts and runs never change their environment, so each is asked for once. */
function jobScopes(store: CloudRunOptions['store']): (job: string) => Promise<Asked | null> {
  const known = new Map<string, Asked>();
  return async (job) => {
    const run = RUN.exec(job);
    if (run !== null) return { project: run[1] ?? '', environment: run[2] ?? '' };
    const id = job.slice(0, Math.max(0, job.indexOf('.')));
    const before = known.get(id);
    if (before !== undefined) return before;
    // While the store is away nothing new is begun, and what runs here is asked as ever.
    const rollout = await store.rollout(id).catch(() => null);
    if (rollout === null) return null;
    const scope = { project: rollout.project, environment: rollout.environment };
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(id, scope);
    return scope;
  };
}

/** `project.environment.service.run.dueAt` */
const RUN = /^([^.]+)\.([^.]+)\.[^.]+\.run\.\d+$/;
const MOST_KNOWN = 1_000;

interface Opened extends CloudDrivers {
  logOf(scope: Asked): Promise<CloudLog>;
  close(): void;
}

interface Finding {
  environmentOf: (scope: Asked) => Promise<CloudEnvironment | null>;
  ofJob: (job: string) => Promise<CloudEnvironment | null>;
}

async function openCloudRun(
  { env, home, log, pace: given }: CloudRunOptions,
  { environmentOf, ofJob }: Finding,
): Promise<Opened> {
  const [{ endpointOf, findCredentials }, { openGoogle }, { openWire }] = await Promise.all([
    import('../../platform/google/credentials.ts'),
    import('../../platform/google/http.ts'),
    import('../../platform/google/wire.ts'),
  ]);
  const keyFile = env['EVENKEEL_CLOUD_CREDENTIALS'];
  const endpoint = endpointOf(env);
  const credentials = await findCredentials({
    env: keyFile === undefined || keyFile === '' ? env : { ...env, GOOGLE_APPLICATION_CREDENTIALS: keyFile },
  });
  const http = openGoogle({ credentials, endpoint });
  const wire = openWire(endpoint);
  const pace = { ...USUAL, ...paceIn(env), ...given };
  const api = new RunApi(http);
  const views = new Views(api, pace.freshMs);
  const ask = askServices(wire, credentials);
  const health = new HealthChecks(ask);
  const numbers = new Map<string, Promise<string>>();
  const numberOf = (project: string): Promise<string> => {
    const known = numbers.get(project);
    if (known !== undefined) return known;
    const asked = http
      .request<{ name?: string }>('GET', `https://cloudresourcemanager.googleapis.com/v3/projects/${project}`)
      .then(({ name = '' }) => name.replace('projects/', ''));
    numbers.set(project, asked);
    asked.catch(() => numbers.delete(project));
    return asked;
  };
  const urlOf = async ({ project, region }: CloudRunConfig, name: string): Promise<string> =>
    foreseenUrl(name, { projectNumber: await numberOf(project), region });
  const logsOf = async ({ project, region, scope }: CloudEnvironment): Promise<CloudLogs> => {
    const [{ openDriver }, { cloudLogs }] = await Promise.all([
      import('../../drivers/cloud/google/google.ts'),
      import('../../drivers/cloud/google/logs.ts'),
    ]);
    return cloudLogs(openDriver({ cloudProject: project, region, ...scope }, http, null));
  };
  return {
    runtime: new CloudRunRuntime({ api, views, environmentOf, urlOf }),
    jobs: new CloudRunJobs({
      api,
      views,
      environmentOf: ofJob,
      urlOf,
      tail: async (environment, job) => lastLines(await logsOf(environment), job),
    }),
    traffic: new CloudRunTraffic({
      api,
      views,
      health,
      monitoring: new Monitoring({
        calls: http,
        periodMs: pace.metricsPeriodMs,
        lateMs: pace.metricsLateMs,
        everyMs: pace.metricsEveryMs,
      }),
      ask,
      environmentOf,
      settleMs: pace.settleMs,
      warn: (message) => log.warn({}, message),
    }),
    images: new ImageBuilds({
      file: join(home, 'cloud', 'images.json'),
      async isThere(image, { project, region }, signal) {
        const [{ openDriver }, { hasImage }] = await Promise.all([
          import('../../drivers/cloud/google/google.ts'),
          import('../../drivers/cloud/google/build/build-image.ts'),
        ]);
        const place = { cloudProject: project, region, project: '', environment: '' };
        return (await hasImage(openDriver(place, http, null), image, signal)) !== false;
      },
      async prepare({ root, service }, config) {
        const source = imageSource(service, config);
        const { leaveOut, warnings } = await examineImages(root, [source]);
        return {
          request: imageRequest(root, source, { image: config.repository, at: Date.now(), leaveOut }),
          warnings,
        };
      },
      builderFor: async (config, scope) => {
        const [{ openDriver }, { imageBuilder }] = await Promise.all([
          import('../../drivers/cloud/google/google.ts'),
          import('../../drivers/cloud/google/build/build-image.ts'),
        ]);
        const place = { cloudProject: config.project, region: config.region };
        return imageBuilder(openDriver({ ...place, ...scope }, http, null));
      },
    }),
    async hasSecretValue(project, id, signal) {
      const [{ openDriver }, { hasValue }] = await Promise.all([
        import('../../drivers/cloud/google/google.ts'),
        import('../../drivers/cloud/google/secrets.ts'),
      ]);
      const place = { cloudProject: project, region: '', project: '', environment: '' };
      return hasValue(openDriver(place, http, null), id, signal);
    },
    async logOf(scope) {
      const environment = await environmentOf(scope);
      if (environment === null) throw new Error(`${scope.project} ${scope.environment} is not in the cloud`);
      return {
        logs: await logsOf(environment),
        services: async () => (await views.of(environment)).services,
      };
    },
    close() {
      health.close();
      wire.close();
      http.close();
    },
  };
}

/** So much of what a job wrote is told with its failure, and so long its lines may take to arrive, ms. */
const TAIL_LINES = 20;
const TAIL_LOOKS = 3;
const TAIL_LOOK_MS = 1_000;
const TAIL_BACK_MS = 26 * 3_600_000;

async function lastLines(logs: CloudLogs, job: string): Promise<string> {
  const signal = AbortSignal.timeout(TAIL_LOOKS * 5_000);
  for (let looks = 1; ; looks++) {
    const lines: string[] = [];
    const query = { names: [job], since: Date.now() - TAIL_BACK_MS, lines: TAIL_LINES, follow: false, signal };
    for await (const { text } of logs.read({ ...query, programsOnly: true })) lines.push(text);
    if (lines.length > 0 || looks >= TAIL_LOOKS) return lines.join('\n');
    await sleep(TAIL_LOOK_MS, undefined, { signal });
  }
}

/** How late counts are where Google is stood in for; `<period>/<late>` in ms. */
function paceIn(env: CloudRunOptions['env']): Partial<CloudRunPace> {
  const metrics = metricsPace(env);
  if (metrics === null) return {};
  const { periodMs, lateMs } = metrics;
  const every = Math.max(100, Math.min(USUAL.metricsEveryMs, periodMs / 2));
  return {
    metricsPeriodMs: periodMs,
    metricsLateMs: lateMs,
    metricsEveryMs: every,
    settleMs: Math.min(USUAL.settleMs, periodMs),
  };
}
