import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { alreadyExists, GoogleError } from '../core/google-error.ts';
import { accountExists, findImage } from './neighbours.ts';
import { condition } from './conditions.ts';
import { GENERATION } from './deploy.ts';
import type { Engine } from './engine.ts';
import { nextRevisionName, revisionName, shortName } from './names.ts';
import { servingContainer } from './revision-spec.ts';
import type { Program, Revision, Service, Template } from './shapes.ts';
import { checkTraffic } from './traffic.ts';
import { checkName, checkTemplate } from './validate.ts';

/** What a caller may say of a service. */
export interface Wanted {
  description?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  client?: string;
  clientVersion?: string;
  ingress?: string;
  launchStage?: string;
  template: Template;
  traffic?: Service['traffic'];
  scaling?: Service['scaling'];
  invokerIamDisabled?: boolean;
  defaultUriDisabled?: boolean;
}

export interface Changed {
  service: Service;
  /** The revision that has to be made; null when the template is the same. */
  revision: Revision | null;
}

/**
 * The service, made or changed to what is wanted; nothing is stored yet. Throws 400, 403 (the account) or 409 (a
 * revision's name that is taken by another template).
 */
export function changed(
  engine: Engine,
  name: string,
  before: Service | undefined,
  wanted: Wanted,
  { caller, force = false }: { caller: string; force?: boolean },
): Changed {
  const short = shortName(name);
  checkName('service', short);
  const template = checkTemplate(wanted.template);
  checkAccount(engine, template);
  const generation = String(Number(before?.generation ?? 0) + 1);
  const same = before !== undefined && !force && sameTemplate(before.template, template);
  const revision = same ? null : newRevision(engine, { name, template, generation, caller });
  const known = (each: string) =>
    shortName(revision?.name ?? '') === each || engine.tables.revisions.has(revisionName(name, each));
  const traffic = checkTraffic(wanted.traffic, short, known);
  const hosts = engine.hosts(name);
  const now = engine.time();
  const { hashed, plain } = hosts;
  const pending = [condition('RoutesReady', 'pending', now), condition('ConfigurationsReady', 'pending', now)];
  const service: Service = {
    ...before,
    ...optional(wanted),
    name,
    uid: before?.uid ?? randomUUID(),
    generation,
    ...(before?.observedGeneration === undefined ? {} : { observedGeneration: before.observedGeneration }),
    createTime: before?.createTime ?? now,
    updateTime: now,
    creator: before?.creator ?? caller,
    lastModifier: caller,
    ingress: wanted.ingress ?? 'INGRESS_TRAFFIC_ALL',
    launchStage: wanted.launchStage ?? 'GA',
    template,
    traffic,
    terminalCondition: condition('Ready', 'pending', now),
    conditions: pending,
    reconciling: true,
    uri: `https://${hashed}`,
    urls: plain === null ? [`https://${hashed}`] : [`https://${plain}`, `https://${hashed}`],
    etag: engine.etag(name),
  };
  if (revision !== null) service.latestCreatedRevision = revision.name;
  return { service, revision };
}

/** Fields that are not there when nobody wants them (any more). */
function optional(wanted: Wanted): Partial<Service> {
  const { description, labels, annotations, client, clientVersion, scaling, invokerIamDisabled, defaultUriDisabled } =
    wanted;
  const all = {
    description,
    labels,
    annotations,
    client,
    clientVersion,
    scaling,
    invokerIamDisabled,
    defaultUriDisabled,
  };
  return all as Partial<Service>; // those that are undefined are dropped when it is stored
}

/** Throws 403 for an account that is not there. */
export function checkAccount(engine: Engine, { serviceAccount }: Program): void {
  if (serviceAccount === undefined || accountExists(engine.world, serviceAccount)) return;
  throw new GoogleError(
    'PERMISSION_DENIED',
    `Permission 'iam.serviceaccounts.actAs' denied on service account ${serviceAccount} (or it may not exist).`,
  );
}

/** Whether a template asks for what is there: who said it, and under which name, makes no other program. */
function sameTemplate(before: Template, now: Template): boolean {
  if (now.revision !== undefined && now.revision !== before.revision) return false;
  const plain = (template: Template) => {
    const { revision: _, ...rest } = template;
    return JSON.parse(JSON.stringify(rest)) as object;
  };
  return isDeepStrictEqual(plain(before), plain(now));
}

function newRevision(
  engine: Engine,
  { name, template, generation, caller }: { name: string; template: Template; generation: string; caller: string },
): Revision {
  const service = shortName(name);
  const { revision: asked, labels, annotations, ...rest } = template;
  const short = asked ?? nextRevisionName(service, Number(generation));
  checkName('revision', short);
  if (!short.startsWith(`${service}-`))
    throw new GoogleError(
      'INVALID_ARGUMENT',
      `template.revision: the name of a revision must begin with '${service}-', got '${short}'.`,
    );
  const full = revisionName(name, short);
  if (engine.tables.revisions.has(full))
    throw alreadyExists(`Revision named '${short}' with different configuration already exists.`);
  const now = engine.time();
  const image = servingContainer(template).image ?? '';
  const digest = findImage(engine.world, engine.images, image)?.digest;
  return {
    ...rest,
    // What a tag meant when it was deployed is what the revision stays with.
    ...(digest === undefined ? {} : { containers: pinned(template, image, digest) }),
    name: full,
    service,
    uid: randomUUID(),
    generation: '1',
    labels: { ...labels, 'serving.knative.dev/service': service, [GENERATION]: generation },
    annotations: { ...annotations },
    createTime: now,
    updateTime: now,
    creator: caller,
    reconciling: true,
    conditions: ['Ready', 'ResourcesAvailable', 'ContainerHealthy'].map((type) => condition(type, 'pending', now)),
    etag: engine.etag(full),
  };
}

const pinned = (template: Template, image: string, digest: string) =>
  (template.containers ?? []).map((container) =>
    container.image === image ? { ...container, image: `${image.replace(/(@.*|:[^:/]*)$/, '')}@${digest}` } : container,
  );
