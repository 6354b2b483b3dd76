import { staysHot } from '../domain/rollout/desired.ts';
import { decide } from '../domain/rollout/decide.ts';
import { seen } from '../domain/rollout/observed.ts';
import type { Observed } from '../domain/rollout/observed.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { type Decision, stay } from '../domain/rollout/transition.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import type { ListenChange, ServingChange } from '../ports/store.ts';
import type { EngineDeps } from './deps.ts';
import type { EnvironmentMemory } from './memory.ts';

/** Evidence alone is written at most this often: the edge reports it again in full whenever it is asked. */
const EVIDENCE_EVERY_MS = 2_000;

const STORE_RETRY_MS = 500;

export interface Advanced {
  rollout: Rollout;
  decision: Decision;
  changes: ServingChange[];
  /** The public port as the transition moves it, or null. */
  listen: ListenChange | null;
  /**
   * The store does not have it. Nothing may be decided on top of it: what the store took then would stand there
   * without the line, and the change of what serves, that the refused transition brings with it.
   */
  unpersisted?: boolean;
}

/**
 * One step of a rollout: decide, then persist. The caller acts only on what this answers. Null: somebody else has
 * written the rollout since it was read; look again.
 *
 * When the store refuses a decision to take a release back, the decision is answered all the same, unpersisted: the
 * edge is told first, and the store is reconciled when it is back. Any other decision is put off, and the environment
 * is kept as it was decided last.
 */
export async function advance(
  deps: Pick<EngineDeps, 'store' | 'fence' | 'onFenced' | 'log'>,
  memory: EnvironmentMemory,
  rollout: Rollout,
  observed: Observed,
  now: number,
): Promise<Advanced | null> {
  const decision = decide(rollout, observed, now);
  const changes = deploymentChanges(rollout, decision.next);
  const listen = listenChange(rollout, decision.next);
  const known = memory.latest.get(rollout.id);
  const due = decision.journal.length > 0 || differsBeyondEvidence(rollout, decision.next);
  const evidenceDue = decision.next !== rollout && now - (known?.savedAt ?? 0) >= EVIDENCE_EVERY_MS;
  if (!due && !evidenceDue) {
    memory.latest.set(rollout.id, { rollout: decision.next, wakeAt: decision.wakeAt, savedAt: known?.savedAt ?? now });
    return { rollout: decision.next, decision, changes, listen };
  }
  try {
    const saved = await deps.store.saveRollout(decision.next, deps.fence, decision.journal, changes, listen);
    if (!saved.saved) {
      if (saved.reason === 'fence') deps.onFenced();
      return null;
    }
    memory.latest.set(rollout.id, { rollout: saved.rollout, wakeAt: decision.wakeAt, savedAt: now });
    for (const line of decision.journal)
      deps.log.info({ rollout: rollout.id, from: line.from, to: line.to }, line.reason);
    return { rollout: saved.rollout, decision, changes, listen };
  } catch (error) {
    if (!(error instanceof EvenkeelError)) throw error;
    if (error.code === 'store-fenced') {
      deps.onFenced();
      return null;
    }
    const takesBack = rollout.end === null && decision.next.end !== null && decision.next.end !== 'complete';
    if (!takesBack) {
      deps.log.error({ rollout: rollout.id, code: error.code }, `not decided: ${described(error)}`);
      return {
        rollout,
        decision: stay(rollout, 'the store refuses what was decided', now + STORE_RETRY_MS),
        changes: [],
        listen: null,
      };
    }
    // It is asked again at every look; once is enough to be told.
    if (known?.rollout.end !== decision.next.end)
      deps.log.error(
        { rollout: rollout.id, code: error.code },
        'the store refused a decision to take back; acting on it all the same',
      );
    const wakeAt = now + STORE_RETRY_MS;
    memory.latest.set(rollout.id, { rollout: decision.next, wakeAt, savedAt: 0 });
    return { rollout: decision.next, decision: { ...decision, wakeAt }, changes, listen, unpersisted: true };
  }
}

/** The port moves with the switch; on the way back only if no later rollout has moved it on. */
function listenChange(before: Rollout, after: Rollout): ListenChange | null {
  const { opens } = after;
  if (opens === null) return null;
  if (before.phase !== 'watching' && after.phase === 'watching' && after.end === null)
    return { from: null, to: opens.to };
  if (before.end === null && after.end === 'rolled-back') return { from: opens.to, to: opens.from };
  return null;
}

/** What a transition changes in what the environment serves: the switch, the way back, the end of the window, a contract. */
function deploymentChanges(before: Rollout, after: Rollout): ServingChange[] {
  if (before.phase !== 'watching' && after.phase === 'watching' && after.end === null)
    return [
      ...after.services.map((each) => ({
        service: each.service,
        current: each.to,
        former: staysHot(each) ? each.from : null,
      })),
      ...after.removes.map((each) => ({ service: each.service, current: null, former: null })),
    ];
  if (before.end === null && after.end === 'rolled-back')
    return [
      ...after.services.map((each) => ({ service: each.service, current: each.from, former: null })),
      ...after.removes.map((each) => ({ service: each.service, current: each.release, former: null })),
    ];
  // Once only: a newer rollout may have put its own former release there since.
  const closes = before.phase === 'watching' && (after.phase === 'contracting' || after.end === 'complete');
  if (closes && before.end === null) return after.services.map((each) => ({ service: each.service, former: null }));
  return after.services
    .filter(({ service }) => before.contract[service] === undefined && after.contract[service] === 'begun')
    .map((each) => ({ service: each.service, contracted: each.to }));
}

function differsBeyondEvidence(before: Rollout, after: Rollout): boolean {
  if (before === after) return false;
  const plain = (rollout: Rollout): string =>
    JSON.stringify({
      ...rollout,
      analysis: Object.entries(rollout.analysis).map(([name, each]) => [name, each.slow, each.windowStart !== null]),
    });
  return plain(before) !== plain(after);
}

/** True when the edge has what the switch needs and only an answer through it is missing. */
export function awaitsAnswer(rollout: Rollout, observed: Observed): string[] {
  if (rollout.phase !== 'promoting' || rollout.end !== null || !observed.edgeReachable) return [];
  return rollout.services
    .filter((each) => {
      const service = seen(observed, each);
      const { answered } = service;
      if (each.kind === 'worker' || (service.to.weight ?? 0) < 100 - rollout.policy.holdback) return false;
      return answered === null || answered.release !== each.to || answered.at < rollout.phaseSince;
    })
    .map((each) => each.service);
}
