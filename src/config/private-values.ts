/** Values under these paths may be credentials, so they are shown nowhere. */
export function isPrivatePath(path: readonly string[]): boolean {
  if (isDatabaseUrl(path)) return true;
  if (path[0] === 'oidc') return path[2] === 'clientSecret'; // of sign-in.yaml; belongs elsewhere, and may be here all the same
  return isEnvPath(path) || isUserPath(path);
}

/** `databases.*.url`, also those of an environment. */
export const isDatabaseUrl = (path: readonly string[]): boolean =>
  path[0] === 'databases'
    ? path[2] === 'url'
    : path[0] === 'environments' && path[2] === 'databases' && path[4] === 'url';

const OF_CLOUD = ['cloud', 'databases', 'buckets', 'secrets'];

/** Where `${env}` is the name of the environment: whatever makes names of things in the cloud. */
export const isCloudPath = (path: readonly string[]): boolean =>
  OF_CLOUD.includes(path[0] ?? '') || (path[0] === 'environments' && OF_CLOUD.includes(path[2] ?? ''));

/** Where the name of a secret belongs, and somebody may have written the password itself. */
const isUserPath = (path: readonly string[]): boolean => {
  const users = path.indexOf('users');
  return users > 0 && path[users - 1] === 'basicAuth' && path.length > users + 1;
};

/** `services.*.env.*`, `environments.*.env.*`, `environments.*.services.*.env.*`: where references may be used. */
export function isEnvPath(path: readonly string[]): boolean {
  if (path[0] === 'services') return path.length > 3 && path[2] === 'env';
  if (path[0] !== 'environments') return false;
  return (path.length > 3 && path[2] === 'env') || (path.length > 5 && path[2] === 'services' && path[4] === 'env');
}

/** The path within a service, whether it is written under `services` or in an environment; null elsewhere. */
export function withinService(path: readonly string[]): readonly string[] | null {
  if (path[0] === 'services' && path.length > 2) return path.slice(2);
  if (path[0] === 'environments' && path[2] === 'services' && path.length > 4) return path.slice(4);
  return null;
}

export const MASK = '***';

/** `postgres://app:hunter2@host` -> `postgres://***@host` */
export function maskCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/@"']+@/g, `://${MASK}@`);
}
