import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, processIdentity, processStat } from '../../platform/process/identity.ts';
import { whoAnswers } from '../control/control-server.ts';

const LOOK_MS = 200;
const ANSWER_MS = 1_000;
/** A keeper starts the next edge at once, and a broken one every few seconds. Who waits longer serves an old table. */
const LONGEST_MS = 30_000;

/** What a follower knows of those above it, from its start on: numbers of processes come again. */
export interface Above {
  readonly leadPid: number;
  /** Whether the keeper that started the lead lives, and so will start another one. */
  readonly keeperLives: () => boolean;
}

export function aboveMe(): Above {
  const leadPid = process.ppid;
  const keeper = processIdentity(processStat(leadPid)?.parent ?? -1);
  // Process 1 is nobody's keeper: the one that was has died.
  const lasting = keeper !== null && keeper.pid !== 1 ? keeper : null;
  return { leadPid, keeperLives: () => lasting !== null && isAlive(lasting) };
}

/**
 * Waits, after the lead has died, until another lead answers at the command socket; `nobody` when none can be expected.
 * While it waits this process holds the listening sockets open, so it must not wait for a keeper that is gone: the next
 * one binds them anew.
 */
export async function awaitSuccessor(
  socket: string,
  { leadPid, keeperLives }: Above,
  wanted: () => boolean,
): Promise<'another' | 'nobody'> {
  const until = performance.now() + LONGEST_MS;
  while (wanted() && keeperLives() && performance.now() < until) {
    const pid = await whoAnswers(socket, ANSWER_MS);
    if (pid !== null && pid !== leadPid) return 'another';
    await sleep(LOOK_MS);
  }
  return 'nobody';
}
