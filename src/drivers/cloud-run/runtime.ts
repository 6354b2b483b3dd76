import type { InstanceObservation } from '../../domain/instance/instance.ts';
import { BY_REVISION, lastPart, type RunService } from '../../domain/cloud/run/api.ts';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import { revisionName, tagName } from '../../domain/cloud/run/names.ts';
import { type InstanceRecord, readRecord, type ServiceRecord, withRecord } from '../../domain/cloud/run/record.ts';
import { explicitTargets, observedShares, withNewRevision } from '../../domain/cloud/run/targets.ts';
import { revisionTemplate } from '../../domain/cloud/run/template.ts';
import { ownLabels } from '../../domain/cloud/resource.ts';
import { askedServices } from '../../domain/project/asked-services.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { InstanceSpec, Runtime } from '../../ports/runtime.ts';
import { changeService, contested } from './change.ts';
import { observation, type Ready, readinessOf } from './observation.ts';
import { isConflict, type RunApi } from './run-api.ts';
import type { CloudEnvironment, SeenService, Views } from './view.ts';

/** A revision that was ready is asked again after so long, ms: it hardly ever stops being so. */
const READY_FOR_MS = 60_000;
const CREATE_TRIES = 4;

export interface CloudRunRuntimeOptions {
  api: RunApi;
  views: Views;
  /** Where an environment is in the cloud; null: it is not. */
  environmentOf: (scope: { project: string; environment: string }) => Promise<CloudEnvironment | null>;
  /** Where a service will answer, by its name in the cloud. */
  urlOf: (config: CloudRunConfig, name: string) => Promise<string>;
  now?: () => number;
}

/** An instance is a revision with a tag of its own, whatever it scales to by itself. */
export class CloudRunRuntime implements Runtime {
  readonly kind = 'cloud-run';
  readonly #options: CloudRunRuntimeOptions;
  readonly #now: () => number;
  readonly #ready = new Map<string, { at: number; seen: Ready }>();

  constructor(options: CloudRunRuntimeOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async start(spec: InstanceSpec): Promise<void> {
    const { cloud } = spec;
    if (cloud === undefined) throw notForCloud(spec.id);
    const environment = { project: cloud.project, region: cloud.region, scope: scopeOf(spec) };
    const plan = await this.#plan(spec, cloud);
    for (let tries = 1; ; tries++) {
      try {
        await this.#startOnce(environment, plan);
        break;
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (tries >= CREATE_TRIES) throw contested(cloud.name, error);
      }
    }
    this.#options.views.changed(environment);
  }

  async #plan(spec: InstanceSpec, cloud: CloudRunConfig): Promise<Plan> {
    const urls = new Map<string, string>();
    for (const service of askedServices(cloud.env))
      urls.set(service, await this.#options.urlOf(cloud, cloud.names[service] ?? service));
    const made = { image: spec.artifact, urlOf: (service: string): string => urls.get(service) ?? '' };
    const draft = revisionTemplate(cloud, made, { ...spec, revision: '' });
    const revision = revisionName(cloud.name, spec.release, JSON.stringify([spec.id, draft]));
    const { id, service, release, index, generation, artifact: image } = spec;
    return {
      cloud,
      spec,
      revision,
      template: { ...draft, revision },
      record: {
        id,
        service,
        release,
        index,
        generation,
        at: this.#now(),
        port: cloud.port,
        tag: tagName(cloud.name, release, generation),
        public: cloud.public,
        image,
      },
    };
  }

  async #startOnce(environment: CloudEnvironment, plan: Plan): Promise<void> {
    const { api } = this.#options;
    const { cloud, revision, record, template, spec } = plan;
    const existing = await api.service(environment, cloud.name);
    if (existing === null) {
      await api.createService(environment, cloud.name, {
        labels: labelsOf(plan),
        annotations: withRecord({}, { ...EMPTY, instances: { [revision]: record } }),
        ingress: 'INGRESS_TRAFFIC_ALL',
        template,
        // Cloud Run sends everything somewhere; nobody gets in before it is open to anybody.
        traffic: [{ type: BY_REVISION, revision, percent: 100, tag: record.tag }],
      });
      return;
    }
    refuseForeign(existing, plan);
    const there = await api.revision(environment, cloud.name, revision);
    const broken = await this.#broken(environment, {
      name: cloud.name,
      service: existing,
      record: readRecord(existing),
    });
    await changeService(api, environment, cloud.name, (service, known) => {
      if (isStarted(known, spec.id)) return null;
      const instances = { ...known.instances, [revision]: record };
      return {
        body: {
          ...(there === null ? { template } : {}),
          labels: { ...service.labels, ...labelsOf(plan) },
          annotations: withRecord(service, { ...known, instances }),
          traffic: withNewRevision(service, known, { revision, tag: record.tag, broken }),
          ...(isOff(service) ? { scaling: { scalingMode: 'AUTOMATIC' } } : {}),
        },
        mask: [
          ...(there === null ? ['template'] : []),
          'labels',
          'annotations',
          'traffic',
          ...(isOff(service) ? ['scaling'] : []),
        ],
      };
    });
  }

  async stop(id: string, _how: { graceMs: number; reason: string }): Promise<void> {
    await this.#change(id, ({ service, revision, known, record }) => {
      if (record.stopped !== undefined) return null;
      const instances = { ...known.instances, [revision]: { ...record, stopped: this.#now() } };
      const alone = (observedShares(service).get(revision) ?? 0) > 0;
      return {
        body: {
          annotations: withRecord(service, { ...known, instances }),
          traffic: withoutTag(service, record),
          // All traffic has to go somewhere: with no instances nothing of it is answered.
          ...(alone ? { scaling: { scalingMode: 'MANUAL', manualInstanceCount: 0 } } : {}),
        },
        mask: ['annotations', 'traffic', ...(alone ? ['scaling'] : [])],
      };
    });
  }

  async observe(scope: { project: string; environment: string }): Promise<InstanceObservation[]> {
    const environment = await this.#options.environmentOf(scope);
    if (environment === null) return [];
    const { services } = await this.#options.views.of(environment);
    const seen = await Promise.all(
      services.flatMap((each) =>
        Object.entries(each.record.instances).map(async ([revision, record]) =>
          observation(each.service, record, await this.#readiness(environment, each, revision)),
        ),
      ),
    );
    return seen.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async remove(id: string): Promise<void> {
    const found = await this.#find(id);
    if (found === null) return;
    const { environment, seen, revision } = found;
    const ready = await this.#readiness(environment, seen, revision);
    await this.#change(id, ({ service, known, record }) => {
      if (record.stopped === undefined && ready.state !== 'failed') throw stillRuns(id);
      const { [revision]: _, ...instances } = known.instances;
      return {
        body: { annotations: withRecord(service, { ...known, instances }), traffic: withoutTag(service, record) },
        mask: ['annotations', 'traffic'],
      };
    });
    // The rest is tidiness: what is latest, or has all traffic, cannot be deleted, and costs nothing.
    await this.#options.api.deleteRevision(environment, seen.name, revision).catch(() => undefined);
    this.#ready.delete(`${seen.name}/${revision}`);
  }

  allocatePort(): Promise<number> {
    return Promise.reject(notForCloud('a port'));
  }

  async #readiness(environment: CloudEnvironment, { name }: SeenService, revision: string): Promise<Ready> {
    const key = `${name}/${revision}`;
    const now = this.#now();
    const known = this.#ready.get(key);
    if (known !== undefined && known.seen.state === 'ready' && now - known.at < READY_FOR_MS) return known.seen;
    const seen = readinessOf(await this.#options.api.revision(environment, name, revision));
    this.#ready.set(key, { at: now, seen });
    return seen;
  }

  /** Revisions that never started and are still among the targets of traffic. */
  async #broken(environment: CloudEnvironment, seen: SeenService): Promise<Set<string>> {
    const named = explicitTargets(seen.service).map(({ revision = '' }) => revision);
    const states = await Promise.all(
      named.map(async (revision) => ({ revision, ...(await this.#readiness(environment, seen, revision)) })),
    );
    return new Set(states.flatMap(({ revision, state }) => (state === 'failed' ? [revision] : [])));
  }

  async #find(id: string): Promise<Found | null> {
    const [project = '', environment = ''] = id.split('.');
    const there = await this.#options.environmentOf({ project, environment });
    if (there === null) return null;
    const { services } = await this.#options.views.of(there);
    for (const seen of services)
      for (const [revision, record] of Object.entries(seen.record.instances))
        if (record.id === id) return { environment: there, seen, revision };
    return null;
  }

  async #change(id: string, change: (at: Changing) => ReturnType<Parameters<typeof changeService>[3]>): Promise<void> {
    const found = await this.#find(id);
    if (found === null) return;
    const { environment, seen, revision } = found;
    await changeService(this.#options.api, environment, seen.name, (service, known) => {
      const record = known.instances[revision];
      return record === undefined ? null : change({ service, known, revision, record });
    });
    this.#options.views.changed(environment);
  }
}

interface Plan {
  cloud: CloudRunConfig;
  spec: InstanceSpec;
  revision: string;
  template: ReturnType<typeof revisionTemplate>;
  record: InstanceRecord;
}

interface Found {
  environment: CloudEnvironment;
  seen: SeenService;
  revision: string;
}

interface Changing {
  service: RunService;
  known: ServiceRecord;
  revision: string;
  record: InstanceRecord;
}

const EMPTY: ServiceRecord = { fence: 0, instances: {}, table: null, splits: { rollout: '', since: [] } };

const scopeOf = ({ project, environment }: InstanceSpec): { project: string; environment: string } => ({
  project,
  environment,
});

const labelsOf = ({ spec, cloud }: Plan): Record<string, string> => ({
  ...cloud.labels,
  ...ownLabels(spec),
  'evenkeel-service': spec.service,
});

/** No instances at all, whatever comes in. */
const isOff = ({ scaling }: RunService): boolean => scaling?.scalingMode === 'MANUAL';

const isStarted = (record: ServiceRecord, id: string): boolean =>
  Object.values(record.instances).some((each) => each.id === id);

function withoutTag(service: RunService, record: InstanceRecord): RunService['traffic'] & object {
  return explicitTargets(service).flatMap((target) => {
    if (target.tag !== record.tag) return [target];
    const { tag: _, ...rest } = target;
    return rest.percent === undefined ? [] : [rest];
  });
}

function refuseForeign(service: RunService, { cloud, spec }: Plan): void {
  const own = Object.entries(ownLabels(spec)).every(([key, value]) => service.labels?.[key] === value);
  if (own) return;
  throw new EvenkeelError({
    code: 'cloud-service-foreign',
    what: `there is a service ${cloud.name} on Cloud Run that is not this environment's`,
    where: `${cloud.project}, ${cloud.region}`,
    why: `it does not bear the labels ${Object.keys(ownLabels(spec)).join(' and ')} of ${spec.project} ${spec.environment}`,
    next: `give services[${spec.service}] another name in evenkeel.yaml, or delete that one: gcloud run services delete ${lastPart(service.name)}`,
    exit: 2,
  });
}

const stillRuns = (id: string): EvenkeelError =>
  new EvenkeelError({
    code: 'instance-running',
    what: `${id} still runs`,
    next: 'stop it first',
    retryable: true,
    exit: 2,
  });

const notForCloud = (what: string): EvenkeelError =>
  new EvenkeelError({ code: 'runtime-mismatch', what: `${what} is nothing that Cloud Run has`, exit: 2 });
