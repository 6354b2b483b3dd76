import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Begun, deploy } from '../../engine/operations/deploy.ts';
import { down } from '../../engine/operations/down.ts';
import { rollback } from '../../engine/operations/rollback.ts';
import { restart } from '../../engine/operations/restart.ts';
import { until } from '../../engine/operations/until.ts';
import { REFUSALS, type Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import {
  type DeployReply,
  deployRequestSchema,
  type DownReply,
  type JournalView,
  type RequestReply,
  restartRequestSchema,
  rollbackRequestSchema,
  rolloutRequestSchema,
  type RolloutView,
  scopeSchema,
} from '../contract/contract.ts';
import { view } from '../views/current-rollout.ts';
import { journalView } from '../views/rollout-view.ts';
import { streamRollout } from './rollout-events.ts';

const REQUEST_TIMEOUT_MS = 20_000;

const listSchema = z.object({
  project: z.string().optional(),
  environment: z.string().optional(),
  service: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(20),
});
const idSchema = z.object({ id: z.string() });

export function rolloutRoutes(api: FastifyInstance, deps: ApiDeps): void {
  const { engine } = deps;
  const { store } = engine.deps;

  api.post('/v1/deploy', async (request): Promise<DeployReply> => {
    const { project, ...input } = deployRequestSchema.parse(request.body);
    const begun = await deploy(engine, { ...input, project: deps.parseProject(project) });
    return replyOf(begun);
  });

  api.post('/v1/rollback', async (request): Promise<DeployReply> => {
    const begun = await rollback(engine, rollbackRequestSchema.parse(request.body));
    return replyOf(begun);
  });

  api.post('/v1/restart', async (request): Promise<DeployReply> => {
    const begun = await restart(engine, restartRequestSchema.parse(request.body));
    return replyOf(begun);
  });

  api.post('/v1/down', async (request): Promise<DownReply> => {
    const scope = scopeSchema.parse(request.body);
    const { stopped } = await down(engine, { ...scope, by: 'operator' });
    return {
      stopped,
      message: `${stopped} ${stopped === 1 ? 'instance' : 'instances'} stopped; releases, data and history stay`,
    };
  });

  api.get('/v1/rollouts', async (request): Promise<{ rollouts: RolloutView[] }> => {
    const query = Object.fromEntries(
      Object.entries(listSchema.parse(request.query)).filter(([, value]) => value !== undefined),
    );
    const rollouts = await store.rollouts(query);
    return { rollouts: await Promise.all(rollouts.map((each) => view(deps, each, false))) };
  });

  api.get('/v1/rollouts/:id', async (request): Promise<RolloutView> =>
    view(deps, await find(deps, idOf(request)), true),
  );

  api.get('/v1/rollouts/:id/story', async (request): Promise<{ entries: JournalView[] }> => {
    const { id } = await find(deps, idOf(request));
    return { entries: (await store.journal(id)).map(journalView) };
  });

  api.get('/v1/rollouts/:id/events', async (request, reply) => {
    const rollout = await find(deps, idOf(request));
    const { after } = z.object({ after: z.coerce.number().int().default(0) }).parse(request.query);
    reply.hijack();
    await streamRollout(deps, rollout, after, reply.raw);
  });

  api.post('/v1/rollouts/:id/requests', async (request): Promise<RequestReply> => {
    const { id, ...scope } = await find(deps, idOf(request));
    const asked = rolloutRequestSchema.parse(request.body);
    if (scope.end !== null)
      throw new EvenkeelError({
        code: 'rollout-over',
        what: `rollout ${id} is over (${scope.end})`,
        next: 'evenkeel rollouts',
      });
    const recorded = await store.addRequest({ rollout: id, ...asked, at: engine.deps.clock.now() });
    engine.wake(scope);
    // Recorded is enough to be carried out; the answer waits for what came of it, unless that waits for something else.
    await until(
      engine,
      async () => answered(await store.rollout(id), engine.latest(id)?.rollout ?? null, recorded.seq),
      {
        what: `the ${asked.kind} to be taken into account`,
        timeoutMs: REQUEST_TIMEOUT_MS,
      },
    ).catch(() => {});
    const line = (await store.journal(id)).findLast(({ detail }) => detail['request'] === recorded.seq);
    const refused = REFUSALS.find((code) => code === line?.detail['refused']) ?? null;
    const answer = line === undefined ? null : { refused, reason: line.reason };
    return { ...(await view(deps, await find(deps, id), true)), answer };
  });
}

const replyOf = ({ rollout, message, migrations = [] }: Begun): DeployReply => ({
  rollout: rollout?.id ?? null,
  message,
  migrations,
});

const answered = (stored: Rollout | null, latest: Rollout | null, seq: number): boolean =>
  stored === null || stored.end !== null || stored.requestSeq >= seq || (latest?.requestSeq ?? 0) >= seq;

const idOf = (request: { params: unknown }): string => idSchema.parse(request.params).id;

async function find(deps: ApiDeps, id: string): Promise<Rollout> {
  const rollout = await deps.engine.deps.store.rollout(id);
  if (rollout !== null) return rollout;
  throw new EvenkeelError({ code: 'rollout-unknown', what: `there is no rollout ${id}`, next: 'evenkeel rollouts' });
}
