import { usersOf } from '../../domain/project/entry.ts';
import type { Scope } from '../../domain/project/scope.ts';
import type { Release } from '../../domain/release/release.ts';
import { changedSecrets, secretsIn, type SecretVersions, versionsIn } from '../../domain/release/secret-versions.ts';
import type { EngineDeps } from '../deps.ts';

/** Releases that run, or are about to: what serves, what is kept hot, and what a rollout that is not settled moves. */
export async function liveReleases(
  deps: Pick<EngineDeps, 'store'>,
  { project, environment }: Scope,
): Promise<{ serving: Release[]; all: Release[] }> {
  const deployments = await deps.store.deployments(project, environment);
  const open = await deps.store.rollouts({ project, environment, unsettled: true });
  const moved = open.flatMap(({ services }) => services.flatMap(({ from, to }) => [from, to]));
  const current = new Set(deployments.flatMap((each) => each.current ?? []));
  const ids = new Set([...current, ...deployments.flatMap((each) => each.former ?? []), ...moved]);
  const found = await Promise.all([...ids].flatMap((id) => (id === null ? [] : [deps.store.release(project, id)])));
  const all = found.filter((each) => each !== null);
  return { serving: all.filter(({ id }) => current.has(id)), all };
}

/**
 * By the name of a secret: services whose serving release uses it, or whose routes ask for it as a password, and those
 * whose release has a former value of it. A password is no part of a release: another one holds at once.
 */
export interface SecretUse {
  usedBy: string[];
  behind: string[];
}

export async function secretUses(
  deps: Pick<EngineDeps, 'store'>,
  scope: Scope,
  today: SecretVersions,
): Promise<Map<string, SecretUse>> {
  const uses = new Map<string, SecretUse>();
  const useOf = (name: string): SecretUse => {
    const use = uses.get(name) ?? { usedBy: [], behind: [] };
    uses.set(name, use);
    return use;
  };
  for (const { service, config } of (await liveReleases(deps, scope)).serving) {
    for (const name of secretsIn(config.env)) useOf(name).usedBy.push(service);
    for (const name of changedSecrets(config.env, today)) useOf(name).behind.push(service);
  }
  const record = await deps.store.environment(scope.project, scope.environment);
  for (const each of record?.config.environment.entry?.services ?? [])
    for (const { secret } of usersOf(each)) {
      const { usedBy } = useOf(secret);
      if (!usedBy.includes(each.service)) usedBy.push(each.service);
    }
  return uses;
}

/** Releases that would not start without a secret, as long as their environment is wanted up. */
export async function neededBy(deps: Pick<EngineDeps, 'store'>, scope: Scope, name: string): Promise<string[]> {
  const record = await deps.store.environment(scope.project, scope.environment);
  if (record?.wanted !== 'up') return [];
  const { all } = await liveReleases(deps, scope);
  return all
    .filter(({ config }) => secretsIn(config.env).includes(name))
    .map(({ id }) => id)
    .toSorted();
}

/** Deletes former values of secrets that no release would start with any more; answers how many. */
export async function forgetFormerSecrets(deps: Pick<EngineDeps, 'store' | 'secrets'>): Promise<number> {
  const needed = new Set<string>();
  for (const scope of await deps.store.environments())
    for (const { config } of (await liveReleases(deps, scope)).all)
      for (const [name, version] of Object.entries(versionsIn(config.env)))
        needed.add(JSON.stringify([scope.project, scope.environment, name, version]));
  return deps.secrets.forgetFormer(({ project, environment, name, version }) =>
    needed.has(JSON.stringify([project, environment, name, version])),
  );
}
