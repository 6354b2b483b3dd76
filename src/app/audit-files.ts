import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Anchor, AuditContent } from '../domain/audit/entry.ts';
import { syncFolder, writeFileAtomic } from '../platform/atomic-file.ts';
import { readTextIfThere } from '../platform/read-json.ts';
import type { AuditAnchor, UnwrittenAudit } from '../ports/audit.ts';
import { EvenkeelError } from '../ports/errors.ts';

/**
 * What was asked for while the store was away, a line for each entry. What is being put into the chain lies beside it
 * under another name: whoever dies in the midst of it leaves it to the next one.
 */
export function unwrittenAuditFile(file: string): UnwrittenAudit {
  const taking = `${file}.taking`;
  let adding: Promise<unknown> = Promise.resolve();

  async function append(text: string): Promise<void> {
    const isNew = !existsSync(file);
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.appendFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (isNew) await syncFolder(dirname(file));
  }

  return {
    isEmpty: () => !existsSync(file) && !existsSync(taking),
    add(contents) {
      // The line before may be half of one, of whoever died or found the disk full.
      const text = contents.map((each) => `\n${JSON.stringify(each)}\n`).join('');
      const added = adding.then(() => append(text));
      adding = added.catch(() => undefined);
      return added;
    },
    async take() {
      await adding;
      if (!existsSync(taking) && existsSync(file)) await rename(file, taking);
      return ((await readTextIfThere(taking)) ?? '').split('\n').flatMap(entryOf);
    },
    taken: () => rm(taking, { force: true }),
  };
}

function entryOf(line: string): AuditContent[] {
  try {
    const value = JSON.parse(line) as AuditContent | null;
    return typeof value?.id === 'string' ? [value] : [];
  } catch {
    return [];
  }
}

export function auditAnchorFile(file: string): AuditAnchor {
  return {
    async read() {
      const text = await readTextIfThere(file);
      return text === null ? null : anchorIn(text, file);
    },
    write: (anchor) => writeFileAtomic(file, `${JSON.stringify(anchor)}\n`),
  };
}

function anchorIn(text: string, file: string): Anchor {
  try {
    const { seq, hash } = JSON.parse(text) as Partial<Anchor>;
    if (typeof seq === 'number' && typeof hash === 'string') return { seq, hash };
  } catch {
    // As below.
  }
  throw new EvenkeelError({
    code: 'audit-anchor-unreadable',
    what: 'the anchor of the audit cannot be read',
    where: file,
    why: 'it is written as one piece: somebody else has changed it',
    next: 'keep it for whoever looks into that, and move it away: a new one is begun with the next entry',
    exit: 2,
  });
}
