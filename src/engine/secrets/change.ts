import { secretsIn } from '../../domain/release/secret-versions.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import { liveReleases, neededBy } from './uses.ts';

interface Scope {
  project: string;
  environment: string;
}

export interface SecretsSet {
  /** Names with a new value. */
  changed: string[];
  /** Names whose value was this already. */
  unchanged: string[];
  /** Services that serve with a former value of what changed, until a rollout. */
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
  return {
    changed,
    unchanged: [...values.keys()].filter((name) => !changed.includes(name)),
    behind: serving
      .filter(({ config }) => secretsIn(config.env).some((name) => changed.includes(name)))
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
