import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EvidenceJournal } from '../../src/edge/stats/evidence-journal.ts';
import { tempDir } from '../support/temp.ts';

const event = { metric: 'errors', weight: 10, owner: 'canary', hash: 42, at: 7 } as const;

test('an event that comes after the rollout ended touches nothing, whoever has its file number by then', () => {
  const folder = tempDir();
  const journal = new EvidenceJournal(folder, 'r1', { epoch: 'epoch', life: 1, log: () => undefined });
  journal.append(event);
  journal.remove();
  const other = join(folder, 'somebody-else');
  const taken = openSync(other, 'w');
  try {
    expect(fstatSync(taken).isFile()).toBe(true);
    journal.append(event);
    journal.remove();
    expect(readFileSync(other, 'utf8')).toBe('');
    fstatSync(taken); // still open
  } finally {
    closeSync(taken);
  }
});
