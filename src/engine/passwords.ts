import { type EntryConfig, usersOf } from '../domain/project/entry.ts';
import type { EdgeState } from '../domain/traffic/protocol.ts';
import type { SecretScope } from '../ports/secrets.ts';
import type { EngineDeps } from './deps.ts';
import type { EnvironmentMemory } from './memory.ts';

/**
 * Hashes of the passwords that an environment's routes ask for: the edge is told nothing else. A hash is made anew when
 * the secret changes, and not because a controller was: the one that the edge has is kept as long as it fits.
 */
export async function passwordHashes(
  deps: Pick<EngineDeps, 'secrets' | 'passwords' | 'digest' | 'newId' | 'log'>,
  memory: Pick<EnvironmentMemory, 'passwords'>,
  context: { scope: SecretScope; entry: EntryConfig | undefined; edge: EdgeState | null },
): Promise<(secret: string, user: string) => string | null> {
  const wanted = eachOnce(context.entry);
  if (wanted.length === 0) return () => null;
  const names = [...new Set(wanted.map(({ secret }) => secret))];
  const values = await knownSecrets(deps, context.scope, names).catch((error: unknown) => {
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== memory.passwords.problem) deps.log.error({ ...context.scope, problem }, 'no passwords can be read');
    memory.passwords.problem = problem;
    return null;
  });
  // Traffic must not wait for secrets to be mended: who got in gets in.
  if (values === null)
    return (secret, user) =>
      memory.passwords.made.get(`${secret} ${user}`)?.hash ?? appliedHashes(context, user)[0] ?? null;
  memory.passwords.problem = null;
  const known = new Map<string, string>();
  memory.passwords.salt ||= deps.newId();
  for (const { name, secret } of wanted) {
    const value = values[secret];
    if (value === undefined) continue;
    const key = `${secret} ${name}`;
    // The value itself is kept nowhere.
    const mark = deps.digest(`${memory.passwords.salt}\0${value}`);
    const before = memory.passwords.made.get(key);
    const hash = before?.mark === mark ? before.hash : await fittingHash(deps, context, name, value);
    memory.passwords.made.set(key, { mark, hash });
    known.set(key, hash);
  }
  return (secret, user) => known.get(`${secret} ${user}`) ?? null;
}

async function fittingHash(
  deps: Pick<EngineDeps, 'passwords'>,
  { scope, edge }: { scope: SecretScope; edge: EdgeState | null },
  name: string,
  value: string,
): Promise<string> {
  for (const hash of new Set(appliedHashes({ scope, edge }, name)))
    if (await deps.passwords.matches(value, hash)) return hash;
  return deps.passwords.hash(value);
}

/** Those that the edge has for a name. */
const appliedHashes = ({ scope, edge }: { scope: SecretScope; edge: EdgeState | null }, name: string): string[] =>
  (edge?.services ?? [])
    .filter(({ config }) => config.project === scope.project && config.environment === scope.environment)
    .flatMap(({ config }) => config.routes.flatMap(({ policy }) => policy?.basicAuth?.users ?? []))
    .filter((user) => user.name === name)
    .flatMap(({ hash }) => hash ?? []);

/** Those that are set; what is not set is nobody's password. */
async function knownSecrets(
  { secrets }: Pick<EngineDeps, 'secrets'>,
  scope: SecretScope,
  names: string[],
): Promise<Record<string, string>> {
  const set = new Set((await secrets.list(scope)).map(({ name }) => name));
  return secrets.resolve(
    scope,
    names.filter((name) => set.has(name)),
  );
}

const eachOnce = (entry: EntryConfig | undefined): { name: string; secret: string }[] => {
  const found = (entry?.services ?? []).flatMap(usersOf);
  return [...new Map(found.map((user) => [`${user.secret} ${user.name}`, user])).values()];
};
