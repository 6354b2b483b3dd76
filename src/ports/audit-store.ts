import type { Anchor, AuditAct, AuditContent, AuditEntry, AuditResult } from '../domain/audit/entry.ts';

export interface AuditFilter {
  who?: string;
  operation?: string;
  organization?: string;
  project?: string;
  environment?: string;
  /** Wall time, ms, inclusive. */
  from?: number;
  /** Exclusive. */
  to?: number;
  /** Only what is of these organizations, and, with `rest`, what is of none. Absent: everything. */
  within?: { organizations: readonly string[]; rest: boolean };
}

/** The chain of all that was asked for. Nothing in it is ever changed; the oldest may be cut off. */
export interface AuditStore {
  /**
   * Puts entries behind the last one, in order; those that are there already, by their ids, are passed over. Answers the
   * last entry of the chain. `lastResort` may use the room that is kept for when the disk is full.
   */
  appendAudit(contents: readonly AuditContent[], options?: { lastResort?: boolean }): Promise<Anchor | null>;
  /** The last one; null: there is none. */
  auditHead(): Promise<Anchor | null>;
  /** As they follow each other, those after `after`. */
  auditEntries(query: AuditFilter & { after: number; limit: number }): Promise<AuditEntry[]>;
  /** Newest first, those before `before`. */
  auditActs(
    query: AuditFilter & { result?: AuditResult | 'unknown'; before?: number; limit: number },
  ): Promise<AuditAct[]>;
  /** Cuts off all that is before the first entry of `before` (wall time, ms) or later, behind a checkpoint. */
  cutAudit(cut: {
    before: number;
    id: string;
    at: number;
    days: number;
  }): Promise<{ cut: number; head: Anchor | null }>;
}
