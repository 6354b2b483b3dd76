import type { Rollout } from '../../domain/rollout/rollout.ts';
import type { Engine } from '../engine.ts';
import { until } from '../operations/until.ts';
import type { Asked } from './ask.ts';

/** What was done of a request that the store does not have yet, and what is left. */
export interface TakenBackUnwritten {
  /** The edge was seen to have taken it back. */
  done: boolean;
  /** For people: what is so now, why the store does not know it, and what follows. */
  message: string;
}

/** The edge is told at once; longer than this means that it is away too. */
const EDGE_TIMEOUT_MS = 5_000;

/** Waits until the edge has taken a rollout back that the store knows nothing of, and says what is so. */
export async function takenBackAtEdge(
  engine: Engine,
  rollout: Rollout,
  asked: Extract<Asked, { written: false }>,
  kind: string,
): Promise<TakenBackUnwritten> {
  const isBack = () => isBackAtEdge(engine, rollout);
  const done = await until(
    engine,
    async () => {
      if (await isBack()) return true;
      await engine.lookWithoutStore(rollout);
      return isBack();
    },
    { what: 'the edge', timeoutMs: EDGE_TIMEOUT_MS },
  ).then(
    () => true,
    () => false,
  );
  const to = rollout.services.map((each) => each.to);
  const former = formerOf(rollout).map(({ release }) => release);
  const back =
    former.length === 0
      ? `${to.join(', ')} ${to.length === 1 ? 'has' : 'have'} no traffic`
      : `${former.join(', ')} ${former.length === 1 ? 'has' : 'have'} all traffic again`;
  const seen = done ? back : 'the edge does not answer, or has not switched yet';
  const kept = asked.recorded
    ? `The store does not know it yet (${asked.why}): the ${kind} is kept on this machine and written when the store is back; what runs of ${to.join(', ')} is ended then.`
    : `The store does not know it (${asked.why}), and it could not be kept on this machine either: ask for the ${kind} again when the store is back.`;
  return { done, message: `${seen}. ${kept}` };
}

/** Who had the traffic before. Workers have none. */
const formerOf = (rollout: Rollout): { service: string; release: string }[] =>
  [
    ...rollout.services.map(({ kind, service, from }) => ({ kind, service, release: from })),
    ...rollout.removes.map(({ kind, service, release }) => ({ kind, service, release })),
  ].flatMap(({ kind, service, release }) => (kind === 'worker' || release === null ? [] : [{ service, release }]));

async function isBackAtEdge({ deps }: Engine, rollout: Rollout): Promise<boolean> {
  const edge = await deps.traffic.state(rollout).catch(() => null);
  if (edge === null) return false;
  const weight = (service: string, release: string): number =>
    edge.services
      .filter(({ config }) => config.project === rollout.project && config.environment === rollout.environment)
      .find(({ config }) => config.service === service)
      ?.config.releases.find((each) => each.release === release)?.weight ?? 0;
  return (
    rollout.services.every(({ service, to }) => weight(service, to) === 0) &&
    formerOf(rollout).every(({ service, release }) => weight(service, release) === 100)
  );
}
