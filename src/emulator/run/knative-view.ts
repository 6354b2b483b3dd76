import type { JsonObject } from '../json.ts';
import type { Engine } from './engine.ts';
import { plainKeys, present, specToV1, templateToV1 } from './knative-template.ts';
import { placeOf, shortName } from './names.ts';
import {
  BY_REVISION,
  LATEST,
  type Condition,
  type Revision,
  type Service,
  type TrafficStatus,
  type TrafficTarget,
} from './shapes.ts';

const API_VERSION = 'serving.knative.dev/v1';
const RUN = 'run.googleapis.com';

/** What v1 calls where requests may come from. */
export const INGRESS: Record<string, string> = {
  INGRESS_TRAFFIC_ALL: 'all',
  INGRESS_TRAFFIC_INTERNAL_ONLY: 'internal',
  INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: 'internal-and-cloud-load-balancing',
};

/** An etag is a quoted base64 text; v1's version is what is between the quotes. */
export const versionOf = ({ etag }: { etag: string }): string => etag.replaceAll('"', '');

const asJson = (object: object): JsonObject => present(object) as JsonObject;

const metadataOf = (engine: Engine, row: Service | Revision, collection: string) => {
  const { project, region } = placeOf(row.name);
  const { number } = engine.world.projects.find(project);
  return {
    name: shortName(row.name),
    namespace: number,
    selfLink: `/apis/${API_VERSION}/namespaces/${number}/${collection}/${shortName(row.name)}`,
    uid: row.uid,
    resourceVersion: versionOf(row),
    generation: Number(row.generation),
    creationTimestamp: row.createTime,
    labels: { ...row.labels, 'cloud.googleapis.com/location': region },
    annotations: {
      ...plainKeys(row.annotations),
      'serving.knative.dev/creator': row.creator,
      'serving.knative.dev/lastModifier': row.lastModifier,
    },
  };
};

export function serviceToV1(engine: Engine, service: Service): JsonObject {
  const { scaling, client, clientVersion } = service;
  const metadata = metadataOf(engine, service, 'services');
  const text = (value: number | boolean | undefined) => (value === undefined ? undefined : String(value));
  const ingress = INGRESS[service.ingress ?? ''] ?? 'all';
  return asJson({
    apiVersion: API_VERSION,
    kind: 'Service',
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        [`${RUN}/ingress`]: ingress,
        [`${RUN}/ingress-status`]: ingress,
        [`${RUN}/urls`]: JSON.stringify(service.urls),
        [`${RUN}/description`]: service.description,
        [`${RUN}/client-name`]: client,
        [`${RUN}/client-version`]: clientVersion,
        [`${RUN}/invoker-iam-disabled`]: text(service.invokerIamDisabled),
        [`${RUN}/minScale`]: text(scaling?.minInstanceCount),
        [`${RUN}/maxScale`]: text(scaling?.maxInstanceCount),
      },
    },
    spec: {
      template: templateToV1(service.template, service.template.revision),
      traffic: service.traffic.map((target) => targetToV1(target)),
    },
    status: {
      observedGeneration: Number(service.observedGeneration ?? 0),
      conditions: [service.terminalCondition, ...(service.conditions ?? []).toReversed()].flatMap(conditionToV1),
      latestCreatedRevisionName: nameOf(service.latestCreatedRevision),
      latestReadyRevisionName: nameOf(service.latestReadyRevision),
      traffic: (service.trafficStatuses ?? []).map((status) => targetToV1(status)),
      url: service.uri,
      address: { url: service.uri },
    },
  });
}

const nameOf = (name: string | undefined): string | undefined => (name === undefined ? undefined : shortName(name));

const targetToV1 = ({ type, revision, percent, tag, uri }: TrafficTarget & TrafficStatus) => ({
  revisionName: revision,
  latestRevision: type === LATEST ? true : undefined,
  percent,
  tag,
  url: uri,
});

export interface V1Target {
  revisionName?: string;
  latestRevision?: boolean;
  percent?: number;
  tag?: string;
}

export const targetFromV1 = ({ revisionName, latestRevision, percent, tag }: V1Target): TrafficTarget =>
  present({
    type: latestRevision === true ? LATEST : BY_REVISION,
    // A status that is sent back names the revision that the latest was.
    revision: latestRevision === true ? undefined : revisionName,
    percent,
    tag,
  }) as TrafficTarget;

const STATUS: Record<Condition['state'], string> = {
  CONDITION_SUCCEEDED: 'True',
  CONDITION_FAILED: 'False',
  CONDITION_PENDING: 'Unknown',
  CONDITION_RECONCILING: 'Unknown',
};

/** `HEALTH_CHECK_CONTAINER_ERROR` is `HealthCheckContainerError` in v1. */
const pascal = (text: string): string =>
  text.toLowerCase().replaceAll(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

function conditionToV1(condition: Condition | undefined) {
  if (condition === undefined) return [];
  const { type, state, message, reason, revisionReason, lastTransitionTime } = condition;
  const why = revisionReason ?? reason;
  const said = state === 'CONDITION_RECONCILING' ? { reason: 'Deploying', message: 'The deploy is under way.' } : {};
  return [
    {
      type,
      status: STATUS[state],
      message,
      reason: why === undefined ? undefined : pascal(why),
      lastTransitionTime,
      ...said,
    },
  ];
}

export function revisionToV1(engine: Engine, revision: Revision): JsonObject {
  const metadata = metadataOf(engine, revision, 'revisions');
  const { labels, annotations, ...template } = revision;
  const asTemplate = templateToV1({ ...template, labels: labels ?? {}, annotations: annotations ?? {} }, undefined);
  const image = revision.containers?.[0]?.image;
  return asJson({
    apiVersion: API_VERSION,
    kind: 'Revision',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, ...asTemplate.metadata?.annotations },
      labels: { ...metadata.labels, 'serving.knative.dev/configuration': revision.service },
    },
    spec: specToV1(template),
    status: {
      observedGeneration: Number(revision.observedGeneration ?? 0),
      conditions: (revision.conditions ?? []).flatMap(conditionToV1),
      imageDigest: image?.includes('@') === true ? image : undefined,
      serviceName: revision.service,
    },
  });
}

/** A service's route: traffic, and nothing of what serves it. */
export function routeToV1(engine: Engine, service: Service): JsonObject {
  const { spec, status } = serviceToV1(engine, service) as { spec: JsonObject; status: JsonObject };
  const ready = service.conditions?.find(({ type }) => type === 'RoutesReady');
  return asJson({
    apiVersion: API_VERSION,
    kind: 'Route',
    metadata: { ...metadataOf(engine, service, 'routes'), labels: ofService(service) },
    spec: { traffic: spec['traffic'] },
    status: {
      observedGeneration: status['observedGeneration'],
      conditions: conditionToV1(ready && { ...ready, type: 'Ready' }),
      traffic: status['traffic'],
      url: status['url'],
      address: status['address'],
    },
  });
}

/** A service's configuration: its template, and which revisions came of it. */
export function configurationToV1(engine: Engine, service: Service): JsonObject {
  const { spec, status } = serviceToV1(engine, service) as { spec: JsonObject; status: JsonObject };
  const ready = service.conditions?.find(({ type }) => type === 'ConfigurationsReady');
  return asJson({
    apiVersion: API_VERSION,
    kind: 'Configuration',
    metadata: { ...metadataOf(engine, service, 'configurations'), labels: ofService(service) },
    spec: { template: spec['template'] },
    status: {
      observedGeneration: status['observedGeneration'],
      conditions: conditionToV1(ready && { ...ready, type: 'Ready' }),
      latestCreatedRevisionName: status['latestCreatedRevisionName'],
      latestReadyRevisionName: status['latestReadyRevisionName'],
    },
  });
}

const ofService = ({ name }: Service) => ({
  'serving.knative.dev/service': shortName(name),
  'cloud.googleapis.com/location': placeOf(name).region,
});
