import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { cancelRun, runNow } from '../../engine/operations/run-now.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import { runRequestSchema, type RunView } from '../contract/runs.ts';
import { runView } from '../views/run-view.ts';

const listSchema = z.object({
  project: z.string(),
  environment: z.string(),
  service: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(20),
});
const oneSchema = z.object({ service: z.string(), dueAt: z.coerce.number().int() });

export function runRoutes(api: FastifyInstance, deps: ApiDeps): void {
  const { engine } = deps;
  const { store } = engine.deps;

  api.post('/v1/runs', async (request): Promise<RunView> =>
    runView(await runNow(engine, runRequestSchema.parse(request.body))),
  );

  api.post('/v1/runs/cancel', async (request): Promise<RunView> =>
    runView(await cancelRun(engine, runRequestSchema.parse(request.body))),
  );

  api.get('/v1/runs', async (request): Promise<{ runs: RunView[] }> => {
    const { service, ...query } = listSchema.parse(request.query);
    const runs = await store.runs({ ...query, ...(service === undefined ? {} : { service }) });
    return { runs: runs.map(runView) };
  });

  api.get('/v1/runs/:service/:dueAt', async (request): Promise<RunView> => {
    const { service, dueAt } = oneSchema.parse(request.params);
    const scope = listSchema.parse(request.query);
    const runs = await store.runs({ ...scope, service, limit: 500 });
    const run = runs.find((each) => each.dueAt === dueAt);
    if (run !== undefined) return runView(run);
    throw new EvenkeelError({
      code: 'run-unknown',
      what: `there is no such run of ${service}`,
      next: 'evenkeel run --list',
    });
  });
}
