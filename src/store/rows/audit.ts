import type { AuditEntry } from '../../domain/audit/entry.ts';
import type { AuditRow } from './database.ts';

/** An entry is its row: nothing of it stands in two places, so nothing of it can be changed in one of them. */
export const auditRow = (entry: AuditEntry): AuditRow => ({ ...entry });

/**
 * Reads what is there, whatever it is: what somebody put there by hand is shown, and found by looking through the chain,
 * and does not keep the rest from being read.
 */
export const readAudit = (row: AuditRow): AuditEntry => ({
  ...row,
  kind: row.kind as AuditEntry['kind'],
  result: row.result as AuditEntry['result'],
});
