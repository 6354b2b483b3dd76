import type { IncomingMessage } from 'node:http';
import type { World } from '../core/world.ts';
import { objectsAt, textAt, textsAt } from '../json.ts';
import { placeOf } from './names.ts';
import type { Service } from './shapes.ts';

const MAY_INVOKE = ['roles/run.invoker', 'roles/run.admin', 'roles/owner', 'roles/editor'];

/** `checked`: the header whose token let the request in; null: nobody was asked. */
export type Admission =
  | { admitted: true; checked: TokenHeader | null }
  | { admitted: false; status: 401 | 403; why: string };

export type TokenHeader = 'authorization' | 'x-serverless-authorization';

/** Whether everybody may call a service. */
export function isPublic(world: World, service: Service): boolean {
  if (service.invokerIamDisabled === true) return true;
  return membersThatMay(world, service.name).has('allUsers');
}

/** Whether a request may pass: a public service asks nobody, others for an identity token made for them. */
export function admit(world: World, service: Service, request: IncomingMessage): Admission {
  if (isPublic(world, service)) return { admitted: true, checked: null };
  const checked =
    request.headers['x-serverless-authorization'] === undefined ? 'authorization' : 'x-serverless-authorization';
  const header = request.headers[checked];
  const token = /^Bearer\s+(\S+)$/i.exec(typeof header === 'string' ? header : '')?.[1];
  if (token === undefined) return refused(403, 'the request was not authenticated: it bears no identity token');
  const said = verified(world, token);
  if (said === null) return refused(401, 'the access token could not be verified');
  if (said.audience !== null && !audiences(service).includes(said.audience.replace(/\/$/, '')))
    return refused(401, `the identity token is made for ${said.audience}, not for this service`);
  const { member } = said.caller;
  const { project } = placeOf(service.name);
  const may = membersThatMay(world, service.name);
  const inProject = world.policies.has(`projects/${project}`, member, MAY_INVOKE);
  // The owner of the emulator owns its projects, whatever their policies came to say.
  const owner = said.audience === null || member === 'user:owner@example.com';
  if (owner || inProject || may.has(member) || may.has('allAuthenticatedUsers')) return { admitted: true, checked };
  return refused(403, `${member} does not have permission run.routes.invoke on this service`);
}

const refused = (status: 401 | 403, why: string): Admission => ({ admitted: false, status, why });

const audiences = (service: Service): string[] => [
  ...service.urls,
  service.uri,
  ...(service.trafficStatuses ?? []).flatMap(({ uri }) => uri ?? []),
];

function verified(world: World, token: string): ReturnType<World['identities']['verified']> {
  try {
    return world.identities.verified(token);
  } catch {
    return null; // no JWT at all
  }
}

function membersThatMay(world: World, service: string): Set<string> {
  const bindings = objectsAt(world.policies.get(service), 'bindings');
  return new Set(
    bindings
      .filter((binding) => MAY_INVOKE.includes(textAt(binding, 'role') ?? ''))
      .flatMap((binding) => textsAt(binding, 'members')),
  );
}
