import type { Identity } from '../domain/access/identity.ts';
import { may, organizationsOf, type Scope, SERVER, type Target, targetOf } from '../domain/access/may.ts';
import { DEFAULT_ORGANIZATION } from '../domain/access/organization.ts';
import { levelOf, type Permission } from '../domain/access/permissions.ts';
import { isAbsence } from '../engine/emergency/reads.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiDeps } from './api-deps.ts';

/** To which organization each project belongs, as it was when it was looked at last. */
export interface Owners {
  of(project: string): string | null;
  /** While the store is away, what was known last counts: no project changes hands without it. */
  look(): Promise<void>;
  /** Makes a project an organization's, unless somebody has it; answers whose it is. */
  claim(project: string, organization: string): Promise<string>;
}

export function openOwners({ access, engine }: Pick<ApiDeps, 'access' | 'engine'>): Owners {
  let known: ReadonlyMap<string, string> = new Map();
  const look = async (): Promise<void> => {
    try {
      const projects = await (await access()).store.projects();
      known = new Map(projects.map(({ project, organization }) => [project, organization]));
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  };
  return {
    of: (project) => known.get(project) ?? null,
    look,
    async claim(project, organization) {
      if (known.has(project)) return known.get(project) ?? organization;
      const owner = await (await access()).store.claimProject(project, organization, engine.deps.clock.now());
      await look();
      return owner;
    },
  };
}

/** What an input is about. A rollout is looked up; what names nothing is about the server. */
export async function targetIn(
  permission: Permission,
  input: Record<string, unknown>,
  owners: Pick<Owners, 'of'>,
  scopeOfRollout: (id: string) => Promise<Scope>,
): Promise<Target> {
  // A project or an organization that it names is what is done, and not where one may.
  if (levelOf(permission) === 'server') return SERVER;
  const { organization, rollout, project, environment } = input;
  if (typeof organization === 'string') return { on: 'organization', organization };
  if (typeof rollout === 'string') return ownedBy(owners, await scopeOfRollout(rollout));
  if (typeof project === 'string' && typeof environment === 'string') return ownedBy(owners, { project, environment });
  return SERVER;
}

export const ownedBy = (owners: Pick<Owners, 'of'>, scope: Scope): Target => targetOf(scope, owners.of(scope.project));

/**
 * Throws EvenkeelError `forbidden`; of what is of an organization of others, that there is no such thing: strangers do not
 * learn what others have.
 */
export function requirePermission(
  who: Identity,
  permission: Permission,
  target: Target,
  unknown: (target: Target) => EvenkeelError,
): void {
  const { allowed, reason } = may(who, permission, target);
  if (allowed) return;
  if (isForeign(who, target)) throw unknown(target);
  throw new EvenkeelError({
    code: 'forbidden',
    what: `${who.name} may not do this${placeOf(target)}`,
    why: reason,
    next: target.on === 'server' ? 'ask whoever runs the server' : 'ask an admin of your organization for it',
  });
}

function isForeign(who: Identity, target: Target): boolean {
  if (target.on === 'server') return false;
  const mine = organizationsOf(who);
  return mine !== null && (target.organization === null || !mine.includes(target.organization));
}

function placeOf(target: Target): string {
  if (target.on === 'server') return ' on the server';
  return target.on === 'environment' ? ` in ${target.environment} of ${target.project}` : '';
}

/** The same for what others have and for what there is not. */
export function unknownTarget(target: Target): EvenkeelError {
  if (target.on === 'environment')
    return new EvenkeelError({
      code: 'environment-unknown',
      what: `there is no ${target.environment} of ${target.project} that you may see`,
      next: 'look at what there is: evenkeel status',
    });
  return new EvenkeelError({
    code: 'organization-unknown',
    what: 'there is no such organization that you may see',
    next: 'list the organizations to see which there are',
  });
}

/**
 * For the first deploy of a project: the organization that it will belong to. That is the one in which whoever asks may
 * deploy it. Throws EvenkeelError `organization-needed` when there are several.
 */
export function homeOfNew(who: Identity, scope: Scope, wanted: string | null): string | null {
  if (who.kind === 'local') return wanted ?? DEFAULT_ORGANIZATION;
  const fit = (organizationsOf(who) ?? []).filter(
    (each) => may(who, 'environment:deploy', targetOf(scope, each)).allowed && (wanted === null || wanted === each),
  );
  if (fit.length <= 1) return fit[0] ?? null;
  throw new EvenkeelError({
    code: 'organization-needed',
    what: `${scope.project} is new, and could belong to ${fit.join(' or ')}`,
    next: 'say which one: `inOrganization` of the request',
  });
}
