/**
 * What the audit keeps. An act has two entries: one before it (`asked`), and one behind it with what came of it
 * (`answered`), which refers to the first. An act without the second has no known result.
 */
export const AUDIT_KINDS = ['asked', 'answered', 'checkpoint'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** `refused`: nothing was changed. `failed`: it was begun, and did not come to its end. */
export const AUDIT_RESULTS = ['done', 'refused', 'failed'] as const;
export type AuditResult = (typeof AUDIT_RESULTS)[number];

/** What an entry says, before it has its place in the chain. */
export interface AuditContent {
  /** Its name, wherever it waits: one that is written twice is there once. */
  id: string;
  /** Wall time, ms, of what it tells; it may be written later. */
  at: number;
  kind: AuditKind;
  /** Of an answer: the entry that asked. */
  about: string | null;
  /** What kind of identity asked; see domain/access/identity.ts. */
  identity: string;
  who: string;
  /** `socket`, or the address that the request came from. */
  source: string;
  operation: string;
  /** What it is of, as it was then: a project may move later. Null: the server, or it was not known. */
  organization: string | null;
  project: string | null;
  environment: string | null;
  service: string | null;
  rollout: string | null;
  /** Null: as yet unknown. */
  result: AuditResult | null;
  /** Why it was refused or failed. */
  code: string | null;
  /** JSON: what was asked for, what was before and after. Without secrets. */
  detail: string;
}

/** An entry in its place. */
export interface AuditEntry extends AuditContent {
  /** 1 for the first that ever was, then one more each time. */
  seq: number;
  /** The hash of the entry before it. */
  former: string;
  /** Over all of this, and `former`. */
  hash: string;
}

/** An entry by its place and its hash: with it stands and falls all that is before it. */
export interface Anchor {
  seq: number;
  hash: string;
}

/** An act with what came of it; a checkpoint is an act of evenkeel itself. */
export interface AuditAct {
  asked: AuditEntry;
  answered: AuditEntry | null;
}
