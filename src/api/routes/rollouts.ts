import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Begun, deploy } from '../../engine/operations/deploy.ts';
import { down } from '../../engine/operations/down.ts';
import { rollback } from '../../engine/operations/rollback.ts';
import { ask } from '../../engine/emergency/ask.ts';
import { storeAway } from '../../engine/emergency/away-store.ts';
import { takenBackAtEdge } from '../../engine/emergency/at-the-edge.ts';
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
  /** What is known of before must not be mistaken for what is: whoever begins something waits for the store. */
  const withStore = { preHandler: async () => requireStore(engine.deps) };

  api.post('/v1/deploy', withStore, async (request): Promise<DeployReply> => {
    const { project, ...input } = deployRequestSchema.parse(request.body);
    const begun = await deploy(engine, { ...input, project: deps.parseProject(project) });
    return replyOf(begun);
  });

  api.post('/v1/rollback', async (request): Promise<DeployReply> => {
    const begun = await rollback(engine, rollbackRequestSchema.parse(request.body));
    return replyOf(begun);
  });

  api.post('/v1/restart', withStore, async (request): Promise<DeployReply> => {
    const begun = await restart(engine, restartRequestSchema.parse(request.body));
    return replyOf(begun);
  });

  api.post('/v1/down', withStore, async (request): Promise<DownReply> => {
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
    const rollouts = await engine.reads.rollouts(query);
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
    const rollout = { id, ...scope };
    const recorded = await ask(engine, rollout, asked);
    if (!recorded.written) {
      const unwritten = await takenBackAtEdge(engine, rollout, recorded, asked.kind);
      return { ...(await view(deps, rollout, false)), answer: null, unwritten };
    }
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

const replyOf = ({ rollout, message, migrations = [], unwritten }: Begun): DeployReply => ({
  rollout: rollout?.id ?? null,
  message,
  migrations,
  ...(unwritten === undefined ? {} : { unwritten }),
});

function requireStore({ emergency }: ApiDeps['engine']['deps']): void {
  if (emergency.awaySince !== null) throw storeAway();
}

const answered = (stored: Rollout | null, latest: Rollout | null, seq: number): boolean =>
  stored === null || stored.end !== null || stored.requestSeq >= seq || (latest?.requestSeq ?? 0) >= seq;

const idOf = (request: { params: unknown }): string => idSchema.parse(request.params).id;

async function find(deps: ApiDeps, id: string): Promise<Rollout> {
  const rollout = await deps.engine.reads.rollout(id);
  if (rollout !== null) return rollout;
  throw new EvenkeelError({ code: 'rollout-unknown', what: `there is no rollout ${id}`, next: 'evenkeel rollouts' });
}
