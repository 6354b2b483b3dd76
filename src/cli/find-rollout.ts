import type { RolloutView } from '../api/contract/rollouts.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiClient } from '../api/contract/client.ts';
import type { Context } from './context.ts';
import { newReleases } from './follow/words.ts';

/** As many rollouts as are looked through for the one that is meant. */
const LIMIT = 100;

/**
 * The rollout that is meant: by id, by a beginning of it, or by service; without any word the only one under way.
 * Throws `no-rollout`, `rollout-unknown`, or `rollout-ambiguous` with all that it could be.
 */
export async function findActive(context: Context, client: ApiClient, word: string | null): Promise<RolloutView> {
  const { rollouts: all } = await client.listRollouts({ ...(await scopeIfAny(context, word)), limit: LIMIT });
  const active = all.filter(({ end }) => end === null);
  if (word === null) return only(active, context, null);
  const byId = matching(all, word);
  if (byId !== null) return byId;
  const byService = active.filter(({ services }) => services.some(({ service }) => service === word));
  if (byService.length > 0) return only(byService, context, word);
  if (all.some(({ services }) => services.some(({ service }) => service === word))) throw none(context, word);
  return client.getRollout({ rollout: word });
}

/** The same for looking: one that is over will do, the newest of them. */
export async function findNewest(context: Context, client: ApiClient, word: string | null): Promise<RolloutView> {
  const { rollouts: all } = await client.listRollouts({ ...(await scopeIfAny(context, word)), limit: LIMIT });
  const meant = word === null ? all : all.filter(({ services }) => services.some(({ service }) => service === word));
  const found = (word === null ? null : matching(all, word)) ?? meant.find(({ end }) => end === null) ?? meant[0];
  if (found !== undefined) return found;
  if (word !== null) return client.getRollout({ rollout: word });
  throw none(context, null);
}

/** An id is enough by itself, wherever it is typed. */
async function scopeIfAny(context: Context, word: string | null): Promise<{ project?: string; environment?: string }> {
  const project = await context.projectName();
  if (project === null) return {};
  const explicit = context.globals.environment !== null || (context.deps.env['EVENKEEL_ENV'] ?? '') !== '';
  return { project, ...(word === null || explicit ? { environment: context.environment } : {}) };
}

const matching = (rollouts: readonly RolloutView[], word: string): RolloutView | null => {
  const exact = rollouts.find(({ id }) => id === word);
  if (exact !== undefined) return exact;
  const begun = word.length < 4 ? [] : rollouts.filter(({ id }) => id.startsWith(word));
  return begun.length === 1 ? (begun[0] ?? null) : null;
};

function only(active: readonly RolloutView[], context: Context, word: string | null): RolloutView {
  const [first, second] = active;
  if (first === undefined) throw none(context, word);
  if (second === undefined) return first;
  throw new EvenkeelError({
    code: 'rollout-ambiguous',
    what: `${active.length} rollouts are under way${word === null ? '' : ` for ${word}`}; which one?`,
    why: active.map((each) => `${each.id}  ${each.environment}  ${newReleases(each)}  ${each.phase}`).join('\n'),
    next: 'name its id, or a service',
  });
}

function none(context: Context, word: string | null): EvenkeelError {
  return new EvenkeelError({
    code: 'no-rollout',
    what: `no rollout is under way${word === null ? '' : ` for ${word}`} in ${context.environment}`,
    next: '`evenkeel rollouts` lists those that are over; --env names another environment',
  });
}
