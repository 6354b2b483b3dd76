import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../platform/process/identity.ts';
import type { ProcessIdentity } from '../../platform/process/identity.ts';
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

/** `keeper`: as the lead found it. By now the lead may have been left to process 1, which may be a keeper, too. */
export function aboveMe(keeper: ProcessIdentity | null): Above {
  return { leadPid: process.ppid, keeperLives: () => keeper !== null && isAlive(keeper) };
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
