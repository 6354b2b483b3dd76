import type { Scope } from '../../domain/project/scope.ts';
import type { EnvTemplate } from '../../domain/project/project.ts';
import { changedSecrets, secretsIn } from '../../domain/release/secret-versions.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import { liveReleases, neededBy } from './uses.ts';

export interface SecretsSet {
  /** Names with a new value. */
  changed: string[];
  /** Names whose value was this already. */
  unchanged: string[];
  /** Services that serve with a former value of one of these, until a rollout. */
  behind: string[];
}

/** Stores all of them or none. What runs goes on with what it was started with. */
export async function setSecrets(
  deps: Pick<EngineDeps, 'store' | 'secrets'>,
  { scope, values, by }: { scope: Scope; values: ReadonlyMap<string, string>; by: string | null },
): Promise<SecretsSet> {
  const changed = await deps.secrets.setAll(scope, values, by);
  const record = await deps.store.environment(scope.project, scope.environment);
  const serving = record?.wanted === 'up' ? (await liveReleases(deps, scope)).serving : [];
  const today = Object.fromEntries((await deps.secrets.list(scope)).map(({ name, version }) => [name, version]));
  // Also what was set before and not rolled out, as when an answer was lost and the same is said again.
  const stale = (env: EnvTemplate): boolean => changedSecrets(env, today).some((name) => values.has(name));
  return {
    changed,
    unchanged: [...values.keys()].filter((name) => !changed.includes(name)),
    behind: serving
      .filter(({ config: { env } }) => stale(env) || secretsIn(env).some((name) => changed.includes(name)))
      .map(({ service }) => service)
      .toSorted(),
  };
}

/** False when there was none. Throws EvenkeelError `secret-needed` while something that runs would not start without it. */
export async function removeSecret(
  deps: Pick<EngineDeps, 'store' | 'secrets'>,
  { scope, name }: { scope: Scope; name: string },
): Promise<boolean> {
  const needed = await neededBy(deps, scope, name);
  if (needed.length === 0) return deps.secrets.remove(scope, name);
  const one = needed.length === 1;
  throw new EvenkeelError({
    code: 'secret-needed',
    what: `${name} is needed in ${scope.environment} by ${needed.join(', ')}`,
    why: `${one ? 'it' : 'they'} could not be started again without it; nothing was removed`,
    next: `take it out of evenkeel.yaml and deploy, and wait for the rollback window; or give it another value: evenkeel secrets set ${name}`,
  });
}
