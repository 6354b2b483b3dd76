import type { BuildRequest, Builder } from '../../ports/builder.ts';
import type { JobRunner, Runtime } from '../../ports/runtime.ts';
import type { ApplyCommand, EdgeReleaseStats } from '../../domain/traffic/protocol.ts';
import type { Asked, Traffic } from '../../ports/traffic.ts';
import { within } from '../../platform/within.ts';
import type { ImageBuilds } from '../../drivers/cloud-run/image-builds.ts';
import { examineImages, imageSource } from './images.ts';
import { type HasValue, refuseEmptySecrets } from './secret-values.ts';

export interface Drivers {
  runtime: Runtime;
  jobs: JobRunner;
  traffic: Traffic;
  builder: Builder;
}

/** The drivers of what runs in the cloud. */
export interface CloudDrivers {
  runtime: Runtime;
  jobs: JobRunner;
  traffic: Traffic;
  images: ImageBuilds;
  hasSecretValue: HasValue;
}

export interface Routing {
  /** Whether an environment runs in the cloud. */
  isCloud: (scope: Asked) => Promise<boolean>;
  /** All that do. */
  environments: () => Promise<Asked[]>;
  /** Of the rollout or run that a job belongs to; null: nobody knows. */
  scopeOfJob: (job: string) => Promise<Asked | null>;
  /** Opened when something of the cloud is asked for, and not before. */
  cloud: () => Promise<CloudDrivers>;
}

/**
 * One set of drivers to the engine, which knows no clouds: each environment's instances, jobs and traffic go to the
 * drivers of where it runs.
 */
export function routed(local: Drivers, routing: Routing): Drivers {
  const { isCloud, cloud } = routing;
  return {
    runtime: routedRuntime(local.runtime, routing),
    jobs: routedJobs(local.jobs, routing),
    traffic: routedTraffic(local.traffic, routing),
    builder: routedBuilder(local.builder, cloud),
  };

  function routedRuntime(runtime: Runtime, _routing: Routing): Runtime {
    /** Where an instance is: on this machine, or in the cloud that its environment runs in. */
    const placeOf = async (id: string): Promise<Runtime> => {
      const [project = '', environment = ''] = id.split('.');
      const scope = { project, environment };
      if (!(await isCloud(scope))) return runtime;
      const here = (await runtime.observe(scope)).some((each) => each.id === id);
      return here ? runtime : (await cloud()).runtime;
    };
    return {
      kind: runtime.kind,
      start: async (spec) => (spec.cloud === undefined ? runtime : (await cloud()).runtime).start(spec),
      stop: async (id, how) => (await placeOf(id)).stop(id, how),
      remove: async (id) => (await placeOf(id)).remove(id),
      async observe(scope) {
        const here = await runtime.observe(scope);
        if (!(await isCloud(scope))) return here;
        return [...here, ...(await (await cloud()).runtime.observe(scope))];
      },
      allocatePort: () => runtime.allocatePort(),
    };
  }

  function routedJobs(jobs: JobRunner, { scopeOfJob }: Routing): JobRunner {
    const placeOf = async (id: string): Promise<JobRunner> => {
      const scope = await scopeOfJob(id);
      return scope !== null && (await isCloud(scope)) ? (await cloud()).jobs : jobs;
    };
    return {
      start: async (spec) => (spec.cloud === undefined ? jobs : (await cloud()).jobs).start(spec),
      observe: async (id) => (await placeOf(id)).observe(id),
      cancel: async (id, how) => (await placeOf(id)).cancel(id, how),
      remove: async (id) => (await placeOf(id)).remove(id),
    };
  }
}

function routedTraffic(local: Traffic, { isCloud, environments, cloud }: Routing): Traffic {
  const totals = new SteadyCounts();
  const last = new LastCounts();
  const placeOf = async (asked: Asked | undefined): Promise<Traffic> =>
    asked !== undefined && (await isCloud(asked)) ? (await cloud()).traffic : local;
  return {
    apply: async (command) => (await placeOf(scopeOf(command))).apply(command),
    state: async (asked) => (await placeOf(asked)).state(asked),
    async stats(asked) {
      if (asked !== undefined) return (await placeOf(asked)).stats(asked);
      const here = await local.stats();
      const away = await environments().catch(() => []);
      if (away.length === 0) return here;
      const counts = async (scope: Asked): Promise<EdgeReleaseStats[]> =>
        (await (await cloud()).traffic.stats(scope)).releases;
      const releases = (await Promise.all(away.map((scope) => last.of(scope, () => counts(scope))))).flat();
      return { ...here, releases: [...here.releases, ...totals.within(here.epoch, releases)] };
    },
    probe: async (request) => (await placeOf(request.of)).probe(request),
  };
}

/** A command speaks of one environment; the first words of a controller speak of none, and are for the edge. */
function scopeOf({ services, remove }: ApplyCommand): Asked | undefined {
  const [service] = services;
  if (service !== undefined) return { project: service.project, environment: service.environment };
  const [project, environment] = remove[0]?.split('/') ?? [];
  return project === undefined || environment === undefined ? undefined : { project, environment };
}

/**
 * Counts of the cloud beside those of the edge, whose epoch begins anew when the edge does: theirs then seem to begin
 * anew, too, or what was long counted would be counted once more.
 */
class SteadyCounts {
  #epoch = '';
  #base = new Map<string, EdgeReleaseStats>();

  within(epoch: string, releases: readonly EdgeReleaseStats[]): EdgeReleaseStats[] {
    const fresh = epoch !== this.#epoch && this.#epoch !== '';
    this.#epoch = epoch;
    if (fresh) this.#base = new Map(releases.map((each) => [nameOf(each), each]));
    return releases.map((each) => {
      const base = this.#base.get(nameOf(each));
      if (base === undefined) return each;
      return {
        ...each,
        requests: Math.max(0, each.requests - base.requests),
        bad: Math.max(0, each.bad - base.bad),
        classes: each.classes.map((count, index) => Math.max(0, count - (base.classes[index] ?? 0))),
      };
    });
  }
}

/** How long counts of the edge wait for those of the cloud, ms. */
const COUNTS_MS = 500;

/**
 * Counts of environments in the cloud, as they were told last: those of this machine do not wait for a cloud that does
 * not answer, and what was counted once must not seem to be new when it does again.
 */
class LastCounts {
  readonly #known = new Map<string, EdgeReleaseStats[]>();
  readonly #asking = new Map<string, Promise<void>>();

  async of({ project, environment }: Asked, ask: () => Promise<EdgeReleaseStats[]>): Promise<EdgeReleaseStats[]> {
    const key = `${project}/${environment}`;
    const asking =
      this.#asking.get(key) ??
      ask()
        .then((counts) => void this.#known.set(key, counts))
        .catch(() => undefined)
        .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    await within(COUNTS_MS, [asking]);
    return this.#known.get(key) ?? [];
  }
}

const nameOf = ({ key, release }: EdgeReleaseStats): string => `${key} ${release}`;

/** An artifact of the cloud is an image; those of this machine are digests. */
const isImage = (artifact: string): boolean => artifact.includes('/') || artifact.includes('@');

function routedBuilder(local: Builder, cloud: Routing['cloud']): Builder {
  const images = async (): Promise<ImageBuilds> => (await cloud()).images;
  /** Builds that this process has handed to the cloud; of another one's nobody asks before it is handed on again. */
  const away = new Set<string>();
  const inputOf: Builder['inputDigest'] = async (root, service) => {
    const { cloud } = service;
    if (cloud === undefined) return local.inputDigest(root, service);
    if (cloud.image !== null) return `${CLOUD_INPUT}${cloud.image}`;
    // The Dockerfile builds it, from the folder as it lies there: what git ignores may well be sent. Its variables it gets
    // when it runs.
    const files = await local.inputDigest(root, { ...service, build: null, env: {} });
    return `${CLOUD_INPUT}${cloud.repository} ${cloud.context} ${cloud.dockerfile} ${files}`;
  };
  return {
    async examine(root, services, environment) {
      const built = services.flatMap((service) => {
        const { cloud } = service;
        return cloud === undefined || cloud.image !== null ? [] : [imageSource(service, cloud)];
      });
      if (built.length > 0) await examineImages(root, built);
      const there = services.flatMap((each) => each.cloud ?? []);
      if (there.length > 0) {
        const hasValue: HasValue = async (...asked) => (await cloud()).hasSecretValue(...asked);
        await refuseEmptySecrets(there, environment, hasValue);
      }
      const here = services.filter((each) => each.cloud === undefined);
      if (here.length > 0) await local.examine(root, here, environment);
    },
    async start(request: BuildRequest) {
      const { cloud } = request.service;
      if (cloud === undefined) return local.start(request);
      away.add(request.id);
      return (await images()).start(request, cloud, await inputOf(request.root, request.service));
    },
    async observe(id) {
      return away.has(id) ? ((await images()).observe(id) ?? { state: 'absent' }) : local.observe(id);
    },
    async cancel(id) {
      return away.has(id) ? (await images()).cancel(id) : local.cancel(id);
    },
    async remove(id) {
      if (away.delete(id)) (await images()).remove(id);
      else await local.remove(id);
    },
    inputDigest: inputOf,
    artifactOf: async (input) =>
      input.startsWith(CLOUD_INPUT) ? (await images()).imageOf(input) : local.artifactOf(input),
    sourceFiles: (root, service) => local.sourceFiles(root, service),
    artifactFiles: async (artifact) => (isImage(artifact) ? null : local.artifactFiles(artifact)),
    artifactPath: (artifact) => (isImage(artifact) ? artifact : local.artifactPath(artifact)),
    // Whether it is still in its repository is seen when it is started.
    has: async (artifact) => isImage(artifact) || local.has(artifact),
    collect: (keep) => local.collect(keep),
    sourceInfo: (root, label) => local.sourceInfo(root, label),
  };
}

const CLOUD_INPUT = 'cloud ';
