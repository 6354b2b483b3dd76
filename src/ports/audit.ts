import type { Anchor, AuditContent } from '../domain/audit/entry.ts';

/** Entries that could not be put into the chain yet. Outlives the process. */
export interface UnwrittenAudit {
  /** Looks no further than whether there is a file. */
  isEmpty(): boolean;
  /** On the disk when it resolves; rejects when they could not be written here either. */
  add(contents: readonly AuditContent[]): Promise<void>;
  /** All of them, in order. Those that are added from now on come with the next call. */
  take(): Promise<AuditContent[]>;
  /** What was taken is in the chain. */
  taken(): Promise<void>;
}

/** The last entry of the chain that is known of, outside of the database. */
export interface AuditAnchor {
  /** Null: nothing was ever written. Rejects when it cannot be read. */
  read(): Promise<Anchor | null>;
  write(anchor: Anchor): Promise<void>;
}
