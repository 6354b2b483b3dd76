import type { CloudBuildLine, CloudBuildResult } from '../../api/contract/cloud/build.ts';
import type { CloudCleanup } from '../../api/contract/cloud/cleanup.ts';
import type { CloudCost, CloudList, CloudStatus, CloudUrls } from '../../api/contract/cloud/look.ts';
import type { CloudPlan } from '../../api/contract/cloud/plan.ts';
import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import type { Project } from '../project.ts';

export interface CloudRequest {
  project: Project;
  /** Our stand-in for the provider, on this machine, in place of the real one. */
  emulate: boolean;
  signal: AbortSignal;
}

/** What would be done, and how to do it. */
export interface Prepared<Document> {
  document: Document;
  run(onEvent: (event: CloudEvent) => void, signal: AbortSignal): Promise<CloudResult>;
}

/** Something that is there and would be deleted, started or stopped when it is among `addresses`. */
export interface Chosen<Document> {
  document: Document;
  run(addresses: readonly string[], onEvent: (event: CloudEvent) => void, signal: AbortSignal): Promise<CloudResult>;
}

/** What a person is asked before something is deleted. */
export type Confirmation = { ask: 'yes-or-no'; question: string } | { ask: 'phrase'; phrase: string; question: string };

type Selection = 'all' | 'one-by-one' | 'menu';

export interface Cleanup extends Chosen<CloudCleanup> {
  /** Asked once, before the first deletion; null: nothing is. */
  selectionQuestion(selection: Selection, addresses: readonly string[]): Confirmation | null;
  /** Asked for one of them, whatever was said before. */
  questions(selection: Selection, address: string): Confirmation[];
  isConfirmed(confirmation: Confirmation, answer: string | null): boolean;
  /** `1, 3-5`, a kind, a name; nothing is picked as long as there is anything that means nothing. */
  menu(typed: string): { picked: string[]; problems: string[] };
  /** What would not work any more if only these went. */
  warnings(addresses: readonly string[]): string[];
}

export interface Restable extends Chosen<CloudList> {
  /** What is so already: it may be named, and nothing is done. */
  already: { address: string; name: string }[];
  /** Nobody is served while it rests, and somebody may mind. */
  production: boolean;
}

/** One environment's part of the cloud; `src/app/cloud/desk.ts` makes the real one. Throws EvenkeelErrors. */
export interface CloudDesk {
  /** Where the stand-in listens, when it is one. */
  emulator: string | null;
  /** `only`: words such as `database` and `buckets`, or addresses; empty: everything. */
  plan(only: readonly string[], signal: AbortSignal): Promise<Prepared<CloudPlan>>;
  /** `waitMs`: for an answer; null: about as long as a person likes to wait. */
  status(options: { waitMs: number | null }, signal: AbortSignal): Promise<CloudStatus>;
  list(signal: AbortSignal): Promise<CloudList>;
  cost(signal: AbortSignal): Promise<CloudCost>;
  urls(options: { check: boolean; write: boolean }, signal: AbortSignal): Promise<CloudUrls>;
  /** Throws `dockerfile-wrong` before anything is built. */
  build(
    asked: {
      services: readonly string[];
      onEvent(event: CloudBuildLine): void;
      onWarning(text: string): void;
    },
    signal: AbortSignal,
  ): Promise<CloudBuildResult>;
  /** `all`: what evenkeel did not label, too. `apis`: they are switched off at the end. `typed`: the environment. */
  cleanup(options: { all: boolean; apis: boolean; typed: string | null }, signal: AbortSignal): Promise<Cleanup>;
  /**
   * Gives a secret its value; `name` as services know it. `database`: the database has it as well. Throws
   * `secret-unknown`, `secret-derived`.
   */
  setSecret(name: string, value: string, signal: AbortSignal): Promise<'secret' | 'database'>;
  /** What can rest, in the state in which it is; of services and databases. */
  rest(running: boolean, signal: AbortSignal): Promise<Restable>;
}
