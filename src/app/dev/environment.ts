import type { Project } from '../../domain/project/project.ts';
import { readVariables } from '../../config/variables.ts';
import { resolveEnv } from '../../engine/resolve-env.ts';
import { fileSecrets } from '../../drivers/secrets/file-secrets.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { Planned } from './plan.ts';
import { RUN_MARK, SERVICE_MARK } from './processes.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The environment of each service by its name: this one's, then what the file says, as in production. Throws
 * `secret-missing` with all names that are nowhere.
 */
export async function environmentsOf(
  planned: readonly Planned[],
  {
    project,
    ports,
    addresses,
    given,
    paths,
    color,
  }: {
    project: Project;
    /** Of the services that are asked over HTTP. */
    ports: ReadonlyMap<string, number>;
    /** The ports at which services ask each other. */
    addresses: ReadonlyMap<string, number>;
    given: Variables;
    paths: Pick<EvenkeelPaths, 'secretsFile' | 'secretsKey'>;
    /** The output goes to a terminal that shows colours. */
    color: boolean;
  },
): Promise<Map<string, Record<string, string>>> {
  const scope = { project: project.name, environment: project.environment.name };
  const secrets = await secretsFor(planned, { project, given, paths });
  const base = { ...inherited(given), ...(color && given['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {}) };
  const made = planned.map(async ({ config }): Promise<[string, Record<string, string>]> => {
    const port = ports.get(config.name) ?? null;
    const known = {
      port,
      serviceUrl: (name: string): string | null => {
        const asked = addresses.get(name);
        return asked === undefined ? null : `http://127.0.0.1:${asked}`;
      },
    };
    return [
      config.name,
      {
        ...base,
        HOST: '127.0.0.1',
        ...(await resolveEnv(config.env, scope, known, secrets)),
        ...(port === null ? {} : { PORT: String(port) }),
        EVENKEEL_PROJECT: scope.project,
        EVENKEEL_ENVIRONMENT: scope.environment,
        EVENKEEL_SERVICE: config.name,
      },
    ];
  });
  return new Map(await Promise.all(made));
}

/** Ours are not theirs: neither where this program keeps its state, nor the marks of an outer `evenkeel dev`. */
function inherited(given: Variables): Record<string, string> {
  const mine = new Set(['PORT', RUN_MARK, SERVICE_MARK]);
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined || mine.has(name) ? [] : [[name, value]])),
  );
}

/** The values that the services use: from the store, as in production; what is not there, from the variables. */
async function secretsFor(
  planned: readonly Planned[],
  {
    project,
    given,
    paths,
  }: { project: Project; given: Variables; paths: Pick<EvenkeelPaths, 'secretsFile' | 'secretsKey'> },
): Promise<Pick<Secrets, 'resolve'>> {
  const parts = planned.flatMap(({ config }) => Object.values(config.env).flat());
  const used = [
    ...new Set(parts.flatMap((part) => (typeof part === 'object' && 'secret' in part ? [part.secret] : []))),
  ];
  if (used.length === 0) return { resolve: () => Promise.resolve({}) };
  const scope = { project: project.name, environment: project.environment.name };
  const store = fileSecrets({ file: paths.secretsFile, keyFile: paths.secretsKey });
  const stored = new Set((await store.list(scope)).map(({ name }) => name));
  const inStore = used.filter((name) => stored.has(name));
  const values: Record<string, string> = inStore.length === 0 ? {} : await store.resolve(scope, inStore);
  const { variables } = await readVariables(project.root, scope.environment, given);
  const missing: string[] = [];
  for (const name of used.filter((each) => !stored.has(each))) {
    const value = variables.get(name);
    if (value === undefined) missing.push(name);
    else values[name] = value;
  }
  if (missing.length > 0) throw secretsMissing(missing, scope.environment);
  return {
    resolve: (_, names) => Promise.resolve(Object.fromEntries(names.map((name) => [name, values[name] ?? '']))),
  };
}

function secretsMissing(names: readonly string[], environment: string): EvenkeelError {
  const env = environment === 'development' ? '' : ` --env ${environment}`;
  return new EvenkeelError({
    code: 'secret-missing',
    what: `${names.length === 1 ? 'a secret is' : `${names.length} secrets are`} not set in ${environment}: ${names.join(', ')}`,
    why: 'neither the secrets store has it, nor the environment of this process, nor a .env file',
    next: `${names.map((name) => `evenkeel secrets set ${name}${env}`).join('\n')}\nor write it into .env, as NAME=value`,
  });
}
