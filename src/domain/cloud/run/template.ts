import { cloudVariables } from '../variables.ts';
import type { EnvVar, RevisionTemplate, Workload } from './api.ts';
import type { CloudRunConfig } from './config.ts';

export interface Made {
  image: string;
  /** Where another service of the environment answers, by its name in the file. */
  urlOf: (service: string) => string;
}

/** Set by Cloud Run itself; it refuses them. */
const RESERVED = new Set(['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']);

/**
 * The variables of an instance or job. Secrets are references, never values, and are read whenever an instance starts: a
 * value that was changed holds for a former release, too.
 */
function environmentOf(config: CloudRunConfig, urlOf: Made['urlOf'], more: Record<string, string>): EnvVar[] {
  const { variables } = cloudVariables(config, config, urlOf);
  const own = variables.map((each): EnvVar =>
    'value' in each
      ? each
      : { name: each.name, valueSource: { secretKeyRef: { secret: each.secret, version: 'latest' } } },
  );
  const added = Object.entries(more).map(([name, value]): EnvVar => ({ name, value }));
  return [...own, ...added].filter(({ name }) => !RESERVED.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What instances and jobs of a service have in common. */
function workload(config: CloudRunConfig, made: Made, env: Record<string, string>): Workload {
  const { sql, network } = config;
  return {
    serviceAccount: config.account,
    timeout: `${config.timeoutS}s`,
    containers: [
      {
        image: made.image,
        env: environmentOf(config, made.urlOf, env),
        resources: { limits: { cpu: String(config.cpu), memory: `${Math.ceil(config.memory / 2 ** 20)}Mi` } },
        ...(sql === null ? {} : { volumeMounts: [{ name: 'cloudsql', mountPath: '/cloudsql' }] }),
      },
    ],
    ...(sql === null ? {} : { volumes: [{ name: 'cloudsql', cloudSqlInstance: { instances: [sql] } }] }),
    ...(network === null ? {} : { vpcAccess: accessTo(network) }),
  };
}

const accessTo = ({ name, connector }: NonNullable<CloudRunConfig['network']>): NonNullable<Workload['vpcAccess']> => ({
  egress: 'PRIVATE_RANGES_ONLY',
  ...(connector === null ? { networkInterfaces: [{ network: name }] } : { connector }),
});

export interface InstanceOf {
  revision: string;
  project: string;
  environment: string;
  service: string;
  release: string;
  id: string;
}

/** The revision that is an instance of a release. */
export function revisionTemplate(config: CloudRunConfig, made: Made, instance: InstanceOf): RevisionTemplate {
  const { revision, project, environment, service, release, id } = instance;
  const common = workload(config, made, {
    EVENKEEL_PROJECT: project,
    EVENKEEL_ENVIRONMENT: environment,
    EVENKEEL_SERVICE: service,
    EVENKEEL_RELEASE: release,
    EVENKEEL_INSTANCE: id,
  });
  return {
    ...common,
    revision,
    containers: common.containers.map((each) => ({
      ...each,
      ports: [{ containerPort: config.port }],
      // Where limits are given, Google takes silence for CPU that is there, and paid for, between requests, too.
      resources: { limits: {}, ...each.resources, cpuIdle: true, startupCpuBoost: true },
    })),
    labels: { ...config.labels, 'evenkeel-service': service },
    scaling: { minInstanceCount: config.minInstances, maxInstanceCount: config.maxInstances },
    maxInstanceRequestConcurrency: config.concurrency,
    // Requests of one client must be sent on their own, or counts of them prove nothing.
    sessionAffinity: false,
  };
}

/** A job with the image of a release. It is tried once: nobody knows what a second try of a migration does. */
export function jobTemplate(
  config: CloudRunConfig,
  made: Made,
  job: { command: string; env: Record<string, string>; timeoutS: number },
): { taskCount: number; parallelism: number; template: Workload & { maxRetries: number } } {
  const common = workload(config, made, job.env);
  return {
    taskCount: 1,
    parallelism: 1,
    template: {
      ...common,
      timeout: `${job.timeoutS}s`,
      maxRetries: 0,
      containers: common.containers.map((each) => ({ ...each, command: ['/bin/sh'], args: ['-c', job.command] })),
    },
  };
}
