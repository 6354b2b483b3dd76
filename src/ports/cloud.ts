import type { BillLine } from '../domain/cloud/price/bill.ts';
import type { Desired, Kind, Observed } from '../domain/cloud/resource.ts';

/** Where in the cloud a project's environment is. */
export interface CloudScope {
  /** Id of the cloud project. */
  cloudProject: string;
  region: string;
  project: string;
  environment: string;
}

/** What was seen of one kind: all there are in the project (and region), evenkeel's own or not; or why it cannot be seen. */
export type Look =
  /** `off`: there are none since the API of this kind is off, in words. */
  | { kind: Kind; resources: Observed[]; off?: string }
  /** `known` false: it did not answer in time, or refused; nothing is known of it. Its API being off means: none. */
  | { kind: Kind; problem: CloudProblem };

export interface LookOptions {
  /** For each kind, ms. */
  deadlineMs: number;
  /** Also how much is in each bucket, which costs a call for each. */
  sizes?: boolean;
  signal: AbortSignal;
}

export interface CloudProblem {
  code: string;
  message: string;
  /** The next command to type or thing to change. */
  next: string | null;
  retryable: boolean;
}

export interface Step {
  /** What is done, in words: `creating`, `waiting for the operation`. */
  doing: string;
}

/**
 * Reads and changes resources. Every change is idempotent and may be made again after a crash, twice, or beside another
 * one's: what is there already is waited for and not made twice. Throws EvenkeelErrors; `exit` 2 once anything was asked
 * of the provider that changes something, 1 before.
 */
export interface Cloud {
  /** Signed in, the project is there and reachable, billing is on. Throws `cloud-credentials`, `cloud-project-unknown`, … */
  greet(signal: AbortSignal): Promise<{ projectNumber: string; billing: boolean | null }>;
  /** Kinds are looked at in parallel; each is answered as soon as it is known, within the deadline. */
  look(kinds: readonly Kind[], options: LookOptions): AsyncIterable<Look>;
  create(resource: Desired, progress: (step: Step) => void, signal: AbortSignal): Promise<Observed>;
  /** Brings the attributes that differ to what is desired; the observed one says against which version (etag). */
  update(resource: Desired, observed: Observed, progress: (step: Step) => void, signal: AbortSignal): Promise<Observed>;
  remove(observed: Observed, progress: (step: Step) => void, signal: AbortSignal): Promise<void>;
  /** Of what can rest: SQL instances (activation policy), services (no instances). */
  setRunning(observed: Observed, running: boolean, progress: (step: Step) => void, signal: AbortSignal): Promise<void>;
  /**
   * Adds a version to a secret. The value travels in a body, never in a name or a message. `database`: it is the password
   * of the file's database, which takes it as well.
   */
  setSecret(name: string, value: string, signal: AbortSignal): Promise<'secret' | 'database'>;
  /**
   * Writes a key of an account to a file of its owner's alone, once; one that is there is kept. Refuses a place in a git
   * work tree (`cloud-key-in-git`), and to write over anything else (`cloud-key-other`).
   */
  accountKey?(account: string, file: string, signal: AbortSignal): Promise<'written' | 'kept'>;
  /**
   * What was billed for the cloud project in a month (`202611`), as the table of a billing export says; no line: nothing
   * yet. Throws `cloud-bill-unknown` and what other looks throw.
   */
  billed?(table: string, month: string, signal: AbortSignal): Promise<BillLine[]>;
}
