import { humanOf } from '../../domain/access/identity.ts';
import { REFUSALS, type Rollout } from '../../domain/rollout/rollout.ts';
import { takenBackAtEdge } from '../../engine/emergency/at-the-edge.ts';
import { ask } from '../../engine/emergency/ask.ts';
import { until } from '../../engine/operations/until.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Call, Handlers } from '../call.ts';
import type { ApprovalKind, RequestReply, SteerKind } from '../contract/rollouts.ts';
import { view } from '../views/current-rollout.ts';
import { journalView } from '../views/rollout-view.ts';
import { pageOf } from './page.ts';
import { rolloutEvents } from './rollout-events.ts';

const REQUEST_TIMEOUT_MS = 20_000;

type Mine = 'listRollouts' | 'getRollout' | 'getStory' | 'followRollout' | 'steerRollout' | 'answerApproval';

export function rolloutHandlers(deps: ApiDeps): Pick<Handlers, Mine> {
  const { engine } = deps;
  return {
    async listRollouts({ limit, ...query }, call) {
      const wanted = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
      const records = await engine.reads.environments();
      const within = records.filter((each) => call.may('environment:read', each));
      // Else a page would be of what others have, and where it ends would tell of them.
      const of = within.length === records.length ? {} : { within };
      const found = await engine.reads.rollouts({ ...wanted, ...of, limit: limit + 1 });
      const { page, next } = pageOf(found, limit, ({ id }) => id);
      const seen = page.filter((each) => call.may('environment:read', each));
      return { rollouts: await Promise.all(seen.map((each) => view(deps, each, false))), next };
    },

    getRollout: async ({ rollout }) => view(deps, await findRollout(deps, rollout), true),

    async getStory({ rollout }) {
      const { id } = await findRollout(deps, rollout);
      return { entries: (await engine.deps.store.journal(id)).map(journalView) };
    },

    async followRollout({ rollout, after }, { signal, lastEventId }) {
      const found = await findRollout(deps, rollout);
      const seen = lastEventId === null ? Number.NaN : Number.parseInt(lastEventId, 10);
      return rolloutEvents(deps, found, Number.isNaN(seen) ? after : Math.max(seen, after), signal);
    },

    steerRollout: ({ rollout, ...asked }, call) => request(deps, rollout, asked, call),

    answerApproval: ({ rollout, ...asked }, call) => request(deps, rollout, { ...asked, force: false }, call),
  };
}

/** Throws EvenkeelError `rollout-unknown`. */
export async function findRollout(deps: ApiDeps, id: string): Promise<Rollout> {
  const rollout = await deps.engine.reads.rollout(id);
  if (rollout !== null) return rollout;
  throw rolloutUnknown(id);
}

export const rolloutUnknown = (id: string): EvenkeelError =>
  new EvenkeelError({ code: 'rollout-unknown', what: `there is no rollout ${id}`, next: 'evenkeel rollouts' });

interface Asked {
  kind: SteerKind | ApprovalKind;
  comment: string | null;
  force: boolean;
}

async function request(deps: ApiDeps, id: string, asked: Asked, { who }: Call): Promise<RequestReply> {
  const { engine } = deps;
  const { store } = engine.deps;
  const rollout = await findRollout(deps, id);
  if (rollout.end !== null)
    throw new EvenkeelError({
      code: 'rollout-over',
      what: `rollout ${id} is over (${rollout.end})`,
      next: 'evenkeel rollouts',
    });
  const recorded = await ask(engine, rollout, { ...asked, by: who.name, human: humanOf(who) });
  if (!recorded.written) {
    const unwritten = await takenBackAtEdge(engine, rollout, recorded, asked.kind);
    return { ...(await view(deps, rollout, false)), answer: null, unwritten };
  }
  // Recorded is enough to be carried out; the answer waits for what came of it, unless that waits for something else.
  await until(engine, async () => answered(await store.rollout(id), engine.latest(id)?.rollout ?? null, recorded.seq), {
    what: `the ${asked.kind} to be taken into account`,
    timeoutMs: REQUEST_TIMEOUT_MS,
  }).catch(() => {});
  const line = (await store.journal(id)).findLast(({ detail }) => detail['request'] === recorded.seq);
  const refused = REFUSALS.find((code) => code === line?.detail['refused']) ?? null;
  const answer = line === undefined ? null : { refused, reason: line.reason };
  return { ...(await view(deps, await findRollout(deps, id), true)), answer };
}

const answered = (stored: Rollout | null, latest: Rollout | null, seq: number): boolean =>
  stored === null || stored.end !== null || stored.requestSeq >= seq || (latest?.requestSeq ?? 0) >= seq;
