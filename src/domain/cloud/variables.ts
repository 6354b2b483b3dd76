import type { EnvPart, EnvTemplate } from '../project/project.ts';
import type { CloudBucket, CloudConfig, CloudDatabase, CloudService } from './config.ts';
import { POSTGRES_PORT } from './defaults.ts';
import { bucketVariableOf, connectionName, databasePrefix } from './names.ts';

/** What services in an environment with a cloud find in their variables beside what their `env` says. */

type Place = Pick<CloudConfig, 'project' | 'region'>;

/**
 * How a database is reached: by its socket, as on Cloud Run, where address and password are references to secrets; or at
 * 127.0.0.1, where a proxy or a Postgres of one's own listens, and the address is put together when an instance starts.
 */
export type Reach = 'socket' | 'local';

export function databaseEnv(database: CloudDatabase, place: Place, reach: Reach): EnvTemplate {
  const prefix = databasePrefix(database.key);
  const password: EnvPart = { secret: passwordVariable(database) };
  const common = {
    [`${prefix}_PORT`]: [String(POSTGRES_PORT)],
    [`${prefix}_NAME`]: [database.name],
    [`${prefix}_USER`]: [database.user],
    [`${prefix}_PASSWORD`]: [password],
    CLOUD_SQL_CONNECTION_NAME: [connectionName(place, database.instance)],
  };
  if (reach === 'local') {
    const before = `postgresql://${encodeURIComponent(database.user)}:`;
    const after = `@127.0.0.1:${POSTGRES_PORT}/${encodeURIComponent(database.name)}`;
    return { ...common, [`${prefix}_HOST`]: ['127.0.0.1'], [`${prefix}_URL`]: [before, password, after] };
  }
  return {
    ...common,
    [`${prefix}_HOST`]: [socketOf(database, place)],
    [`${prefix}_URL`]: [{ secret: addressVariable(database) }],
  };
}

export const passwordVariable = ({ key }: Pick<CloudDatabase, 'key'>): string => `${databasePrefix(key)}_PASSWORD`;
export const addressVariable = ({ key }: Pick<CloudDatabase, 'key'>): string => `${databasePrefix(key)}_URL`;

/** The folder of the socket on Cloud Run. */
export const socketOf = ({ instance }: Pick<CloudDatabase, 'instance'>, place: Place): string =>
  `/cloudsql/${connectionName(place, instance)}`;

/** The value of the secret that services get as `DATABASE_URL` on Cloud Run. It holds the password: keep it out of logs. */
export function databaseUrl(database: CloudDatabase, place: Place, password: string): string {
  const who = `${encodeURIComponent(database.user)}:${encodeURIComponent(password)}`;
  const name = encodeURIComponent(database.name);
  // A host must stand there for parsers that insist on one; drivers take the socket instead.
  return `postgresql://${who}@localhost:${POSTGRES_PORT}/${name}?host=${socketOf(database, place)}`;
}

export const bucketEnv = (buckets: readonly CloudBucket[]): EnvTemplate =>
  Object.fromEntries(buckets.map(({ key, name }) => [bucketVariableOf(key), [name]]));

/** The addresses of the other services, by the variables in which they are known. */
export const urlEnv = (services: readonly Pick<CloudService, 'service' | 'urlVariable'>[], self: string): EnvTemplate =>
  Object.fromEntries(
    services
      .filter(({ service }) => service !== self)
      .map(({ service, urlVariable }) => [urlVariable, [{ serviceUrl: service }]]),
  );

/** A variable as Cloud Run takes it: a value, or a secret of Secret Manager by its id. */
export type CloudVariable = { name: string; value: string } | { name: string; secret: string };

/**
 * All variables of a service on Cloud Run, by name. Secrets are references, never values. `urlOf` says where another
 * service answers, or null when nobody knows yet: then the variables that need it are left out and its name is in
 * `unknown`, so that the caller deploys again once it is known.
 *
 * A part of a value that is a secret cannot be mounted; the configuration is refused before it comes to that.
 */
export function cloudVariables(
  config: Pick<CloudConfig, 'secrets'>,
  service: Pick<CloudService, 'env' | 'port'>,
  urlOf: (service: string) => string | null,
): { variables: CloudVariable[]; unknown: string[] } {
  const ids = new Map(config.secrets.map(({ variable, id }) => [variable, id]));
  const unknown = new Set<string>();
  const variables = Object.entries(service.env).flatMap(([name, parts]): CloudVariable[] => {
    const [first] = parts;
    if (parts.length === 1 && typeof first === 'object' && 'secret' in first) {
      return [{ name, secret: ids.get(first.secret) ?? first.secret }];
    }
    const texts = parts.map((part) => {
      if (typeof part === 'string') return part;
      if ('port' in part) return String(service.port);
      if ('secret' in part) return null;
      const url = urlOf(part.serviceUrl);
      if (url === null) unknown.add(part.serviceUrl);
      return url;
    });
    return texts.every((text) => text !== null) ? [{ name, value: texts.join('') }] : [];
  });
  return { variables: variables.toSorted((a, b) => (a.name < b.name ? -1 : 1)), unknown: [...unknown] };
}

/** Whether a value holds a secret beside something else, which no secret can be mounted into. */
export const mixesSecret = (parts: readonly EnvPart[]): boolean =>
  parts.length > 1 && parts.some((part) => typeof part === 'object' && 'secret' in part);
