import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { scopeSchema, secretPutSchema, type SecretView } from '../contract/contract.ts';

/** Values go in, and never come out here. */
export function secretRoutes(api: FastifyInstance, deps: ApiDeps): void {
  const { secrets } = deps.engine.deps;

  api.get('/v1/secrets', async (request): Promise<{ secrets: SecretView[] }> => ({
    secrets: await secrets.list(scopeSchema.parse(request.query)),
  }));

  api.put('/v1/secrets', async (request) => {
    const { name, value, ...scope } = secretPutSchema.parse(request.body);
    await secrets.set(scope, name, value);
    return {};
  });

  api.delete('/v1/secrets', async (request) => {
    const { name, ...scope } = scopeSchema.extend({ name: secretPutSchema.shape.name }).parse(request.query);
    return { removed: await secrets.remove(scope, name) };
  });
}
