import { mustGiveWay } from '../../domain/rollout/giving-way.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { envOption } from '../../lib/env-option.ts';
import { described, EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { ask } from '../emergency/ask.ts';
import { takenBackAtEdge } from '../emergency/at-the-edge.ts';
import type { Begun } from './deploy.ts';
import { until } from './until.ts';

/** A hot release is a switch away; longer than this means that the edge or the store is away. */
const SWITCH_TIMEOUT_MS = 30_000;
/** One that gave way is started again, which takes as long as it takes. */
const START_TIMEOUT_MS = 120_000;

const WAITS_FOR_MIGRATION =
  'it is taken back as soon as the migration that runs has ended (evenkeel abort --force does not wait)';

/** What steers the traffic is away: it is not refused, and nobody has to ask again. */
const notYet = ({ id, environment }: Rollout, why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'take-back-waits',
    what: `${id} is not taken back yet: what steers its traffic does not answer`,
    why,
    next: `wait: it is tried again and again, and done as soon as that answers (evenkeel status${envOption(environment)})`,
    exit: 2,
  });

/** Takes back a rollout whose former releases are hot, and answers once the edge sends them all traffic again. */
export async function takeBack(
  engine: Engine,
  hot: Rollout,
  input: { by: string; comment: string | null },
): Promise<Begun> {
  const { deps } = engine;
  const asked = await ask(engine, hot, { kind: 'rollback', by: input.by, comment: input.comment, force: false });
  if (!asked.written) {
    const { done, message } = await takenBackAtEdge(engine, hot, asked, 'rollback');
    return { rollout: hot, message, unwritten: { done } };
  }
  const former = [
    ...hot.services
      .filter(({ kind }) => kind !== 'worker')
      .map((each) => ({ service: each.service, release: each.from, starts: mustGiveWay(each) })),
    ...hot.removes.filter(({ kind }) => kind !== 'worker').map((each) => ({ ...each, starts: false })),
  ].filter(({ release }) => release !== null);
  if (hot.phase === 'migrating') return { rollout: hot, message: WAITS_FOR_MIGRATION };
  // Success is what the edge has applied, not what was decided.
  await until(
    engine,
    async () => {
      const rollout = await deps.store.rollout(hot.id);
      if (rollout === null || rollout.end === null) return false;
      const edge = await deps.traffic.state(hot).catch(() => null);
      if (edge === null) return false;
      return former.every((each) => {
        const applied = edge.services.find(
          ({ config }) =>
            config.project === hot.project && config.environment === hot.environment && config.service === each.service,
        );
        const release = applied?.config.releases.find((one) => one.release === each.release && one.weight === 100);
        if (release === undefined || !each.starts) return release !== undefined;
        return release.instances.some(({ id }) => applied?.instances.some((one) => one.id === id && one.healthy));
      });
    },
    {
      what: 'the former release to have all traffic again',
      timeoutMs: former.some(({ starts }) => starts) ? START_TIMEOUT_MS : SWITCH_TIMEOUT_MS,
    },
  ).catch(async (error: unknown) => {
    const away = await deps.traffic.state(hot).then(() => null, described);
    throw away === null ? error : notYet(hot, away);
  });
  const taken = await deps.store.rollout(hot.id);
  const back = former.map((each) => each.release).join(', ');
  return {
    rollout: taken,
    message: back === '' ? 'taken back' : `${back} ${former.length === 1 ? 'has' : 'have'} all traffic again`,
  };
}
