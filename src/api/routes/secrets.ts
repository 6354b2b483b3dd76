import type { FastifyInstance } from 'fastify';
import { removeSecret, setSecrets } from '../../engine/secrets/change.ts';
import { secretUses } from '../../engine/secrets/uses.ts';
import type { ApiDeps } from '../api-deps.ts';
import { scopeSchema } from '../contract/contract.ts';
import { secretNameSchema, secretPutSchema, type SecretsSet, type SecretView } from '../contract/secrets.ts';

/** Values go in, and never come out here. */
export function secretRoutes(api: FastifyInstance, deps: ApiDeps): void {
  const { deps: drivers } = deps.engine;

  api.get('/v1/secrets', async (request): Promise<{ secrets: SecretView[] }> => {
    const scope = scopeSchema.parse(request.query);
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
  });

  api.put('/v1/secrets', async (request): Promise<SecretsSet> => {
    const { name, value, secrets = {}, by = null, ...scope } = secretPutSchema.parse(request.body);
    const values = new Map(Object.entries(secrets));
    if (name !== undefined && value !== undefined) values.set(name, value);
    return setSecrets(drivers, { scope, values, by });
  });

  api.delete('/v1/secrets', async (request) => {
    const { name, ...scope } = secretNameSchema.parse(request.query);
    return { removed: await removeSecret(drivers, { scope, name }) };
  });
}
