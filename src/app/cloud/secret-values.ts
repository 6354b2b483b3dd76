import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import { cloudVariables } from '../../domain/cloud/variables.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/** How long a deploy waits to hear of values, ms. */
const LOOK_MS = 5_000;

/** Whether a secret of a cloud project, by its id, has a value. Throws what keeps it from being told. */
export type HasValue = (cloudProject: string, id: string, signal: AbortSignal) => Promise<boolean>;

/**
 * An instance whose secrets have no value does not start, which would be known only after its image was built and paid
 * for. Throws `cloud-secret-empty` with all of them. What cannot be looked at (an account that may not, an API that does
 * not answer) holds nothing up.
 */
export async function refuseEmptySecrets(
  configs: readonly CloudRunConfig[],
  environment: string,
  hasValue: HasValue,
): Promise<void> {
  const signal = AbortSignal.timeout(LOOK_MS);
  const wanted = new Map<string, Wanted>();
  for (const config of configs)
    for (const each of cloudVariables(config, config, () => '').variables) {
      if (!('secret' in each)) continue;
      const variable = config.secrets.find(({ id }) => id === each.secret)?.variable ?? each.name;
      const bySetUp = isOfDatabase(config, variable);
      wanted.set(`${config.project}/${each.secret}`, { project: config.project, id: each.secret, variable, bySetUp });
    }
  const looked = await Promise.all(
    [...wanted.values()].map(async (each) => {
      const has = await hasValue(each.project, each.id, signal).catch(() => true);
      return has ? [] : [each];
    }),
  );
  const empty = looked.flat().toSorted((a, b) => (a.variable < b.variable ? -1 : 1));
  if (empty.length === 0) return;
  throw new EvenkeelError({
    code: 'cloud-secret-empty',
    what: `nothing was begun: ${empty.map(({ variable }) => variable).join(', ')} ${empty.length === 1 ? 'has' : 'have'} no value in the cloud`,
    where: 'the `env` of services in evenkeel.yaml',
    why: 'Cloud Run starts no instance that asks for a secret without one',
    next: [...new Set(empty.map(commandFor))].map((command) => `${command} --env ${environment}`).join('\n'),
  });
}

interface Wanted {
  project: string;
  id: string;
  variable: string;
  /** Set-up gives it its value, which nobody else knows. */
  bySetUp: boolean;
}

const commandFor = ({ variable, bySetUp }: Wanted): string =>
  bySetUp ? 'evenkeel cloud setup' : `evenkeel cloud secret ${variable}`;

/** `P_URL` and `P_PASSWORD` belong to a database of Cloud SQL where `P_HOST` is its socket. */
function isOfDatabase({ env }: CloudRunConfig, variable: string): boolean {
  const [, prefix] = /^(.+)_(?:URL|PASSWORD)$/.exec(variable) ?? [];
  const [host] = prefix === undefined ? [] : (env[`${prefix}_HOST`] ?? []);
  return typeof host === 'string' && host.startsWith('/cloudsql/');
}
