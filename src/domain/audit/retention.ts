import type { Anchor, AuditContent, AuditEntry } from './entry.ts';

export const DAY_MS = 86_400_000;

/** What a checkpoint is called where operations are told. */
export const CHECKPOINT = 'forgetAudit';

/**
 * Whether the oldest entry is so old that it is time to cut: by a day more than is kept, so that there is one checkpoint
 * a day and not one for each entry.
 */
export const isCutDue = (oldestAt: number, now: number, days: number): boolean => oldestAt < now - (days + 1) * DAY_MS;

/** The entry behind a cut, by which the chain still holds: it says how far was cut, and what the last of that was. */
export function checkpointOf(cut: Anchor, { id, at, days }: { id: string; at: number; days: number }): AuditContent {
  return {
    id,
    at,
    kind: 'checkpoint',
    about: null,
    identity: 'server',
    who: 'evenkeel',
    source: 'controller',
    operation: CHECKPOINT,
    organization: null,
    project: null,
    environment: null,
    service: null,
    rollout: null,
    result: 'done',
    code: null,
    detail: JSON.stringify({ input: { days }, after: { through: cut.seq, hash: cut.hash } }),
  };
}

/** The last entry that a checkpoint says was cut; null: it is none. */
export function readCheckpoint(entry: AuditEntry): Anchor | null {
  if (entry.kind !== 'checkpoint') return null;
  try {
    const { after } = JSON.parse(entry.detail) as { after?: { through?: unknown; hash?: unknown } };
    if (typeof after?.through !== 'number' || typeof after.hash !== 'string') return null;
    return { seq: after.through, hash: after.hash };
  } catch {
    return null;
  }
}
