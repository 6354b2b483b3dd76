import type { EnvPart, EnvTemplate, ServiceConfig } from '../project/project.ts';

/**
 * Which value of a secret belongs to a release. A release names the version of each value that it was begun with, so
 * that its instances, whenever they start, get what it was verified with; versions are made by chance, and tell nothing
 * about values.
 */

/** By the name of the secret. */
export type SecretVersions = Readonly<Record<string, string>>;

type SecretPart = Extract<EnvPart, { secret: string }>;

const secretParts = (env: EnvTemplate): SecretPart[] =>
  Object.values(env)
    .flat()
    .filter((part) => typeof part === 'object' && 'secret' in part);

/** The names of all secrets that an environment holds, each once, sorted. */
export const secretsIn = (env: EnvTemplate): string[] =>
  [...new Set(secretParts(env).map(({ secret }) => secret))].toSorted();

/** The versions that it names; nothing of a release from before there were any. */
export function versionsIn(env: EnvTemplate): SecretVersions {
  return Object.fromEntries(
    secretParts(env).flatMap(({ secret, version }) => (version === undefined ? [] : [[secret, version]])),
  );
}

/** The configuration with the versions of today's values; what is not known stays without. */
export function withVersions(config: ServiceConfig, versions: SecretVersions): ServiceConfig {
  return withEnv(config, ({ secret }) => {
    const version = versions[secret];
    return version === undefined ? { secret } : { secret, version };
  });
}

/** The configuration as the file says it. */
export const withoutVersions = (config: ServiceConfig): ServiceConfig => withEnv(config, ({ secret }) => ({ secret }));

function withEnv(config: ServiceConfig, change: (part: SecretPart) => SecretPart): ServiceConfig {
  const env = Object.entries(config.env).map(([name, parts]): [string, EnvPart[]] => [
    name,
    parts.map((part) => (typeof part === 'object' && 'secret' in part ? change(part) : part)),
  ]);
  return { ...config, env: Object.fromEntries(env) };
}

/**
 * The secrets that have another value today than the one a release was begun with. Of a release that names no versions
 * nobody knows; it counts as up to date, so that an update of evenkeel makes no rollout of its own.
 */
export function changedSecrets(env: EnvTemplate, today: SecretVersions): string[] {
  const own = versionsIn(env);
  return Object.keys(own)
    .filter((name) => today[name] !== undefined && today[name] !== own[name])
    .toSorted();
}
