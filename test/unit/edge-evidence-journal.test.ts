import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EvidenceJournal } from '../../src/edge/stats/evidence-journal.ts';
import { CounterBook } from '../../src/edge/stats/counters.ts';
import { RolloutEvidence } from '../../src/edge/stats/evidence.ts';
import { NO_COUNTS } from '../../src/edge/stats/life-counts.ts';
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

test('what a worker could not write is told instead, and counts once however often it is told', () => {
  const folder = tempDir();
  const nowhere = join(folder, 'a-file');
  writeFileSync(nowhere, '');
  const evidence = (root: string, life: number) =>
    new RolloutEvidence(
      'r1',
      new EvidenceJournal(root, 'r1', { epoch: 'epoch', life, log: () => undefined }),
      new CounterBook().arms('r1'),
    );
  const [lead, other] = [evidence(join(folder, 'journals'), 1), evidence(nowhere, 2)];
  other.badRequest({ owner: 'canary', hash: 42, weight: 10 });
  lead.badRequest({ owner: 'canary', hash: 42, weight: 50 });
  lead.badRequest({ owner: 'baseline', hash: 43, weight: 50 });
  for (let report = 1; report < 3; report++) {
    expect(other.unwritten).toHaveLength(1);
    lead.take(other.unwritten);
    // The session of both is counted by its first event, which the other one met.
    expect(lead.report('epoch', report, NO_COUNTS).metrics.errors).toEqual([
      { weight: 10, canary: 1, baseline: 0 },
      { weight: 50, canary: 0, baseline: 1 },
    ]);
  }
  lead.close();
});
