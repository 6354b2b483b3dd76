import { type RunsAs, type Sharing, sharing } from '../../domain/access/shared-accounts.ts';
import type { Identity } from '../../domain/access/identity.ts';
import { may, type Scope, SERVER } from '../../domain/access/may.ts';
import { DEFAULT_ORGANIZATION } from '../../domain/access/organization.ts';
import type { Project, ServiceConfig } from '../../domain/project/project.ts';
import { filesBeyond } from '../../domain/project/stray.ts';
import type { AccessStore } from '../../ports/access-store.ts';
import type { Accounts } from '../../ports/accounts.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Store } from '../../ports/store.ts';

export interface IsolationDeps {
  readonly store: Pick<Store, 'environments' | 'deployments' | 'release'>;
  access(): Promise<{ readonly store: Pick<AccessStore, 'projects'> }>;
  readonly accounts: Accounts;
}

type Owners = ReadonlyMap<string, string>;

/**
 * Refuses what would run under an account that services of another organization run under, or as evenkeel itself beside
 * them. Throws `service-needs-user`, `user-shared`, `organizations-not-apart`.
 */
export async function refuseSharedAccounts(
  deps: IsolationDeps,
  who: Identity,
  scope: Scope,
  configs: readonly ServiceConfig[],
): Promise<void> {
  const owners = await ownersOf(deps);
  const organization = owners.get(scope.project) ?? DEFAULT_ORGANIZATION;
  const others = await beside(deps, owners, organization);
  if (others === null) return;
  const found = sharing(await accountsOf(deps, scope, configs), others);
  if (found !== null) throw refusal(found, who);
}

/**
 * Refuses a definition from afar that names folders and files of the machine which nobody who sits at it has named for this
 * project: evenkeel would read them for whoever asks, and they may be another organization's. Throws `files-elsewhere`.
 */
export async function refuseForeignFiles(deps: IsolationDeps, who: Identity, project: Project): Promise<void> {
  if (who.kind === 'local') return;
  const owners = await ownersOf(deps);
  const organization = owners.get(project.name) ?? DEFAULT_ORGANIZATION;
  if ((await beside(deps, owners, organization)) === null) return;
  const known = (await deps.store.environments()).filter((each) => each.project === project.name);
  const named = new Set(known.flatMap(({ config }) => filesBeyond(config)));
  const isKnown = known.some(({ config }) => config.root === project.root);
  if (isKnown && filesBeyond(project).every((file) => named.has(file))) return;
  throw new EvenkeelError({
    code: 'files-elsewhere',
    what: isKnown
      ? 'the definition names files outside of the folder of its project'
      : `${project.name} was not deployed from this folder before`,
    why: 'this server has projects of several organizations, and only whoever sits at the machine says which files are whose',
    next: `deploy it there once, in the folder of the project: evenkeel deploy --env ${project.environment.name}`,
  });
}

/** As `refuseSharedAccounts`, for a project with all that it has running, before it goes to another organization. */
export async function refuseSharingMove(
  deps: IsolationDeps,
  who: Identity,
  project: string,
  to: string,
): Promise<void> {
  const owners = new Map(await ownersOf(deps));
  // Nothing moves.
  if (!owners.has(project) || owners.get(project) === to) return;
  owners.set(project, to);
  const others = await beside(deps, owners, to);
  if (others === null) return;
  const found = sharing(await runningOf(deps, project), others);
  if (found !== null) throw refusal(found, who);
}

async function ownersOf({ access }: IsolationDeps): Promise<Owners> {
  const projects = await (await access()).store.projects();
  return new Map(projects.map(({ project, organization }) => [project, organization]));
}

/** What all other organizations run; null: none of them has ever brought anything up here. */
async function beside(deps: IsolationDeps, owners: Owners, organization: string): Promise<RunsAs[] | null> {
  const foreign = [...owners].filter(([, owner]) => owner !== organization).map(([project]) => project);
  const known = new Set((await deps.store.environments()).map(({ project }) => project));
  if (!foreign.some((project) => known.has(project))) return null;
  return (await Promise.all(foreign.map((project) => runningOf(deps, project)))).flat();
}

/** What is wanted of a project, down or not, and what is hot: a former release can be taken back to at any moment. */
async function runningOf(deps: IsolationDeps, project: string): Promise<RunsAs[]> {
  const found: RunsAs[] = [];
  for (const { environment, config } of (await deps.store.environments()).filter((each) => each.project === project)) {
    const hot = (await deps.store.deployments(project, environment)).flatMap(({ current, former }) => [
      current,
      former,
    ]);
    const releases = await Promise.all(hot.filter((id) => id !== null).map((id) => deps.store.release(project, id)));
    const configs = [...config.services, ...releases.flatMap((release) => release?.config ?? [])];
    found.push(...(await accountsOf(deps, { project, environment }, configs)));
  }
  return found;
}

async function accountsOf(
  { accounts }: IsolationDeps,
  { project, environment }: Scope,
  configs: readonly ServiceConfig[],
): Promise<RunsAs[]> {
  const run = configs.filter(runsCommands).map(async ({ name, user }) => ({
    service: `${name} (${environment} of ${project})`,
    account: await accounts.of({ project, environment, service: name, user }),
  }));
  return Promise.all(run);
}

/** A folder of files that is served as it is runs nothing. */
const runsCommands = ({ run, build, migrate, contract, check, smoke }: ServiceConfig): boolean =>
  [run, build, migrate, contract ?? null, check].some((command) => command !== null) ||
  smoke.some(({ kind }) => kind === 'command');

function refusal(found: Sharing, who: Identity): EvenkeelError {
  const why =
    'this server has projects of several organizations, and processes of one user can read what each other has';
  switch (found.kind) {
    case 'own':
      return new EvenkeelError({
        code: 'service-needs-user',
        what: `${found.service} would run as evenkeel itself`,
        why,
        next: 'add `user: dynamic` to the service; evenkeel has to run as root for that',
      });
    case 'shared':
      return new EvenkeelError({
        code: 'user-shared',
        what: `${found.service} would run as a user as whom services of another organization run`,
        why,
        next: 'use `user: dynamic`, which is shared with nobody, or a user of your own',
      });
    case 'theirs': {
      // Whoever is in another organization learns nothing of what there is in this one.
      const known = may(who, 'organizations:manage', SERVER).allowed ? `: ${found.service}` : '';
      return new EvenkeelError({
        code: 'organizations-not-apart',
        what: `services of another organization run as evenkeel itself on this server${known}`,
        why,
        next: 'those need `user: dynamic` first; whoever runs the server sees which they are',
      });
    }
  }
}
