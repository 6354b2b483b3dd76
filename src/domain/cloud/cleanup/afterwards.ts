import { plural } from '../../../lib/format.ts';
import type { Kind, Observed } from '../resource.ts';

/** Of these every use is seen before a clean-up. What else uses the others (machines, builds, dashboards) is not. */
const SEEN_WHOLE: Readonly<Record<string, readonly Kind[]>> = {
  'artifactregistry.googleapis.com': ['repository'],
  'container.googleapis.com': ['cluster'],
  'run.googleapis.com': ['service', 'job'],
  'secretmanager.googleapis.com': ['secret'],
  'sqladmin.googleapis.com': ['sql-instance', 'sql-database', 'sql-user'],
  'vpcaccess.googleapis.com': ['connector'],
};

export interface ApiChoice {
  /** Such as `run.googleapis.com`. */
  api: string;
  disable: boolean;
  reason: string;
}

/**
 * Which of the APIs that the file needs could be switched off after a clean-up.
 *
 * @param needed by the file
 * @param left what is still there, of anybody
 * @param unseen kinds that could not be looked at: what may be there is taken to be there
 */
export function apisToDisable(
  needed: readonly string[],
  left: readonly Observed[],
  unseen: readonly Kind[],
): ApiChoice[] {
  const enabled = left.filter(({ kind }) => kind === 'api').map(({ name }) => name);
  return needed
    .filter((api) => enabled.includes(api))
    .map((api) => {
      const kinds = SEEN_WHOLE[api];
      if (kinds === undefined) return { api, disable: false, reason: 'not all that uses it is looked at here' };
      const users = left.filter(({ kind }) => kinds.includes(kind));
      const first = users[0];
      if (first !== undefined) {
        const more = users.length === 1 ? '' : ` and ${plural(users.length - 1, 'other')}`;
        return { api, disable: false, reason: `${first.kind}/${first.name}${more} still there` };
      }
      const blind = unseen.find((kind) => kinds.includes(kind));
      if (blind !== undefined) return { api, disable: false, reason: `whether a ${blind} is still there is not known` };
      return { api, disable: true, reason: 'nothing that was seen needs it' };
    });
}
