import { removeSecret, setSecrets } from '../../engine/secrets/change.ts';
import { secretUses } from '../../engine/secrets/uses.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

/** Values go in, and never come out here. */
export function secretHandlers(deps: ApiDeps): Pick<Handlers, 'listSecrets' | 'setSecrets' | 'removeSecret'> {
  const { deps: drivers } = deps.engine;
  return {
    async listSecrets(scope) {
      const known = await drivers.secrets.list(scope);
      const today = Object.fromEntries(known.map(({ name, version }) => [name, version]));
      const uses = await secretUses(drivers, scope, today);
      return {
        secrets: known.map(({ name, updatedAt, setBy }) => ({
          name,
          updatedAt,
          setBy,
          usedBy: (uses.get(name)?.usedBy ?? []).toSorted(),
          behind: (uses.get(name)?.behind ?? []).toSorted(),
        })),
      };
    },

    setSecrets: ({ secrets, ...scope }, { who }) =>
      setSecrets(drivers, { scope, values: new Map(Object.entries(secrets)), by: who.name }),

    async removeSecret({ name, ...scope }) {
      return { removed: await removeSecret(drivers, { scope, name }) };
    },
  };
}
