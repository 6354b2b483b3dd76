import type { Container, Template, Volume } from './shapes.ts';

/** A template as v1 writes it: half of what v2 has fields for is in annotations. */
export interface V1Template {
  metadata?: { name?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: V1Spec;
}

export interface V1Spec {
  containerConcurrency?: number;
  timeoutSeconds?: number;
  serviceAccountName?: string;
  containers?: V1Container[];
  volumes?: V1Volume[];
}

interface V1Container extends Omit<Container, 'env' | 'resources' | 'ports'> {
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name?: string; key?: string } } }[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
  ports?: { name?: string; containerPort?: number; protocol?: string }[];
}

interface V1Volume {
  name?: string;
  secret?: { secretName?: string; items?: { key?: string; path?: string }[] };
  emptyDir?: object;
}

const SCALE = 'autoscaling.knative.dev';
const RUN = 'run.googleapis.com';
const SQL = `${RUN}/cloudsql-instances`;

/** Where instances of Cloud SQL are found in a container. */
const SQL_VOLUME = { name: 'cloudsql', mountPath: '/cloudsql' };

/** Annotations and labels that stand for fields, or are Google's own. */
const OF_GOOGLE = /^((run|cloud)\.googleapis\.com|(serving|autoscaling)\.knative\.dev)\//;

export const plainKeys = (map: Record<string, string> | undefined): Record<string, string> | undefined => {
  const entries = Object.entries(map ?? {}).filter(([key]) => !OF_GOOGLE.test(key));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** Without the keys whose value is undefined. */
export const present = <T extends object>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

export function templateFromV1({ metadata = {}, spec = {} }: V1Template): Template {
  const { annotations = {} } = metadata;
  const number = (key: string) => (annotations[key] === undefined ? undefined : Number(annotations[key]));
  const instances =
    annotations[SQL]
      ?.split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '') ?? [];
  const volumes: Volume[] = (spec.volumes ?? []).map(volumeFromV1);
  if (instances.length > 0) volumes.push({ name: SQL_VOLUME.name, cloudSqlInstance: { instances } });
  const scaling = { minInstanceCount: number(`${SCALE}/minScale`), maxInstanceCount: number(`${SCALE}/maxScale`) };
  return present({
    revision: metadata.name,
    labels: plainKeys(metadata.labels),
    annotations: plainKeys(annotations),
    scaling,
    sessionAffinity: annotations[`${RUN}/sessionAffinity`] === 'true' ? true : undefined,
    maxInstanceRequestConcurrency: spec.containerConcurrency,
    timeout: spec.timeoutSeconds === undefined ? undefined : `${spec.timeoutSeconds}s`,
    serviceAccount: spec.serviceAccountName,
    containers: (spec.containers ?? []).map((container, index) =>
      containerFromV1(container, annotations, instances.length > 0 && index === 0),
    ),
    volumes: volumes.length === 0 ? undefined : volumes,
  } as unknown as Template);
}

function containerFromV1(container: V1Container, annotations: Record<string, string>, withSql: boolean): Container {
  const { env, resources, ports, volumeMounts = [], ...rest } = container;
  const throttled = annotations[`${RUN}/cpu-throttling`];
  const boost = annotations[`${RUN}/startup-cpu-boost`];
  const mounts = withSql ? [...volumeMounts, SQL_VOLUME] : volumeMounts;
  return present({
    ...rest,
    env: env?.map(({ name, value, valueFrom }) => ({
      name,
      value: valueFrom === undefined ? (value ?? '') : undefined,
      valueSource:
        valueFrom?.secretKeyRef === undefined
          ? undefined
          : { secretKeyRef: { secret: valueFrom.secretKeyRef.name, version: valueFrom.secretKeyRef.key ?? 'latest' } },
    })),
    ports: ports?.map(({ name, containerPort }) => ({ name, containerPort })),
    resources: {
      limits: resources?.limits,
      cpuIdle: throttled === undefined ? undefined : throttled === 'true',
      startupCpuBoost: boost === undefined ? undefined : boost === 'true',
    },
    volumeMounts: mounts.length === 0 ? undefined : mounts,
  } as unknown as Container);
}

const volumeFromV1 = ({ name, secret, ...rest }: V1Volume): Volume =>
  present({
    ...rest,
    name,
    secret: secret && {
      secret: secret.secretName,
      items: secret.items?.map(({ key, path }) => ({ version: key, path })),
    },
  }) as Volume;

/** `name`: of the revision, where it has one already. */
export function templateToV1(template: Template, name: string | undefined): V1Template {
  const container = template.containers?.[0];
  const { cpuIdle, startupCpuBoost } = container?.resources ?? {};
  const instances = (template.volumes ?? []).flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
  const text = (value: number | boolean | undefined) => (value === undefined ? undefined : String(value));
  return present({
    metadata: {
      name,
      labels: template.labels,
      annotations: {
        ...template.annotations,
        [`${SCALE}/minScale`]: text(template.scaling?.minInstanceCount),
        [`${SCALE}/maxScale`]: text(template.scaling?.maxInstanceCount),
        [`${RUN}/sessionAffinity`]: text(template.sessionAffinity),
        [`${RUN}/cpu-throttling`]: text(cpuIdle),
        [`${RUN}/startup-cpu-boost`]: text(startupCpuBoost),
        [SQL]: instances.length === 0 ? undefined : instances.join(','),
      },
    },
    spec: specToV1(template),
  } as unknown as V1Template);
}

export const specToV1 = (template: Template): V1Spec =>
  present({
    containerConcurrency: template.maxInstanceRequestConcurrency,
    timeoutSeconds: template.timeout === undefined ? undefined : Number.parseInt(template.timeout, 10),
    serviceAccountName: template.serviceAccount,
    containers: (template.containers ?? []).map(containerToV1),
    volumes: volumesToV1(template.volumes),
  } as unknown as V1Spec);

function containerToV1({ env, resources, volumeMounts, ...rest }: Container): object {
  const mounts = volumeMounts?.filter(({ mountPath }) => mountPath !== SQL_VOLUME.mountPath);
  return {
    ...rest,
    env: env?.map(({ name, value, valueSource }) => ({
      name,
      value: valueSource === undefined ? (value ?? '') : undefined,
      valueFrom: valueSource?.secretKeyRef && {
        secretKeyRef: {
          name: valueSource.secretKeyRef.secret?.split('/').at(-1),
          key: valueSource.secretKeyRef.version ?? 'latest',
        },
      },
    })),
    resources: resources?.limits && { limits: resources.limits },
    volumeMounts: mounts?.length ? mounts : undefined,
  };
}

function volumesToV1(volumes: readonly Volume[] = []): object[] | undefined {
  const shown = volumes.filter(({ cloudSqlInstance }) => cloudSqlInstance === undefined);
  if (shown.length === 0) return undefined;
  return shown.map(({ name, secret }) => ({
    name,
    secret: secret && {
      secretName: secret.secret?.split('/').at(-1),
      items: secret.items?.map(({ path, version }) => ({ key: version ?? 'latest', path })),
    },
  }));
}
