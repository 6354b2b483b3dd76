import type { AdmittedService } from '../../domain/traffic/admission.ts';
import type { Challenge } from '../../domain/traffic/challenges.ts';
import type { EdgeState } from '../../domain/traffic/protocol.ts';
import type { Rate } from '../../domain/traffic/rate.ts';
import type { EdgeToKeeper, KeeperToEdge, PortBinding } from '../../platform/ipc-messages.ts';
import type { Told } from '../stats/statistics.ts';

/**
 * What the lead of several edge workers and its followers say to each other, over the channel to the process that
 * started them. To a follower the lead is what a keeper is to an edge, so all that a keeper says is said here, too.
 */
export type LeadToFollower =
  | KeeperToEdge
  /** Answered by `done` with the same number. Orders are carried out one after the other. */
  | { type: 'order'; n: number; order: Order }
  /** Milliseconds to wait, for each of what was asked; null where the lead knows no such limit. */
  | { type: 'waits'; n: number; waits: (number | null)[] };

export type FollowerToLead =
  | EdgeToKeeper
  | { type: 'done'; n: number; answer: Answer }
  | { type: 'ask'; n: number; asks: Ask[] }
  /** What this client was allowed did not count after all. */
  | { type: 'give-back'; name: string; client: string };

export type Order =
  /** Serve by this from now on. `begin`: look at the instances before it is said that it is done. */
  | { kind: 'table'; services: AdmittedService[]; begin: boolean }
  /** Listen on what the table needs, and let go of the rest. */
  | { kind: 'accept' }
  /** Close these: somebody else is to have the ports. */
  | { kind: 'withdraw'; ports: PortBinding[] }
  /** Whether another lead writes the tables by which it serves from now on, or this one tells them. */
  | { kind: 'follow'; on: boolean }
  /** Certificates have changed. */
  | { kind: 'look' }
  /** All that is answered to issuers of certificates from now on. */
  | { kind: 'challenges'; known: Challenge[] }
  /** What was counted, written down before it is said. This and the next are answered at once, whatever is being done. */
  | { kind: 'report' }
  /** How instances are. */
  | { kind: 'state' };

/** What asks and changes nothing. */
export type Question = Extract<Order, { kind: 'report' | 'state' }>;

export const isQuestion = (order: Order): order is Question => order.kind === 'report' || order.kind === 'state';

export interface FollowerState {
  readonly pid: number;
  readonly services: EdgeState['services'];
}

export interface Answers {
  readonly report: Told;
  readonly state: FollowerState;
}

/** Of an order: null, it is done. */
export type AnswerTo<O extends Order> = O extends Question ? Answers[O['kind']] : null;

export type Answer = AnswerTo<Order>;

/** Whether a client may pass a limit of this name. */
export interface Ask {
  readonly name: string;
  readonly rate: Rate;
  readonly client: string;
}
