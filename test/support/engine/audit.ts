import type { Anchor, AuditContent } from '../../../src/domain/audit/entry.ts';
import { type Auditor, createAuditor } from '../../../src/engine/audit/auditor.ts';
import { type Hurry, hurryWith } from '../../../src/engine/audit/hurry.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { AuditAnchor, UnwrittenAudit } from '../../../src/ports/audit.ts';
import type { World } from './world.ts';

/** What the files in the home hold. */
export function auditInMemory(): { unwritten: UnwrittenAudit; anchor: AuditAnchor; waiting: AuditContent[] } {
  const waiting: AuditContent[] = [];
  let taken = 0;
  let anchored: Anchor | null = null;
  return {
    waiting,
    unwritten: {
      isEmpty: () => waiting.length === 0,
      add: async (contents) => void waiting.push(...contents),
      take: async () => waiting.slice(0, (taken = waiting.length)),
      taken: async () => void waiting.splice(0, taken),
    },
    anchor: { read: async () => anchored, write: async (anchor) => void (anchored = anchor) },
  };
}

/** The real auditor on the store of a world. */
export const auditorOf = ({ engine }: Pick<World, 'engine'>, files = auditInMemory()): Auditor =>
  createAuditor({ ...engine.deps, ...files, days: 400, hurry: hurryOf(engine) });

export const hurryOf = ({ deps, reads }: Engine): Hurry => hurryWith(deps.clock, () => reads.awaySince() !== null);
