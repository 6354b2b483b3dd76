import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BadEvent } from '../../src/edge/stats/evidence-journal.ts';
import { EvidenceJournal } from '../../src/edge/stats/evidence-journal.ts';
import { CounterBook } from '../../src/edge/stats/counters.ts';
import { RolloutEvidence } from '../../src/edge/stats/evidence.ts';
import { NO_COUNTS } from '../../src/edge/stats/life-counts.ts';
import { tempDir } from '../support/temp.ts';

const event = { metric: 'errors', weight: 10, owner: 'canary', hash: 42, at: 7 } as const;

/** On a disk that becomes full. */
class Filling extends EvidenceJournal {
  full = false;

  override append(met: BadEvent): boolean {
    return !this.full && super.append(met);
  }
}

/** By this thread, whatever others of the process do; null where the system does not say. */
function bytesRead(): number | null {
  if (!existsSync('/proc/thread-self/io')) return null;
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'utf8'))?.[1]);
}

/** `reports`: it is asked for a report now and then. */
const evidence = (root: string, life: number, reports: boolean): RolloutEvidence =>
  new RolloutEvidence('r1', new EvidenceJournal(root, 'r1', { epoch: 'epoch', life, log: () => undefined }), {
    arms: new CounterBook().arms('r1'),
    reports,
  });

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
  const [lead, other] = [evidence(join(folder, 'journals'), 1, true), evidence(nowhere, 2, false)];
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

test('a worker tells what it could not write, and nothing else', () => {
  const folder = tempDir();
  const journal = new Filling(folder, 'r1', { epoch: 'epoch', life: 2, log: () => undefined });
  const follower = new RolloutEvidence('r1', journal, { arms: new CounterBook().arms('r1'), reports: false });
  follower.badRequest({ owner: 'canary', hash: 1, weight: 10 });
  expect(follower.unwritten).toEqual([]);
  journal.full = true;
  for (const hash of [2, 3]) follower.badRequest({ owner: 'canary', hash, weight: 10 });
  expect(follower.unwritten.map(({ hash }) => hash)).toEqual([2, 3]);
  follower.badRequest({ owner: 'canary', hash: 2, weight: 50 }); // the same session: its first counts
  expect(follower.unwritten).toHaveLength(2);
  const lead = evidence(folder, 1, true);
  lead.take(follower.unwritten);
  expect(lead.report('epoch', 1, NO_COUNTS).metrics.errors).toEqual([{ weight: 10, canary: 3, baseline: 0 }]);
  for (const each of [lead, follower]) each.close();
});

test('what others wrote is read once, however long their journals are and however often somebody asks', () => {
  const folder = tempDir();
  const journal = (life: number) => new EvidenceJournal(folder, 'r1', { epoch: 'epoch', life, log: () => undefined });
  const [mine, other] = [journal(1), journal(2)];
  const line = (hash: number): string => `errors 10 canary ${hash.toString(36)} 7\n`;
  const path = join(folder, 'r1', 'epoch.2');
  appendFileSync(path, Array.from({ length: 50_000 }, (_, hash) => line(hash)).join(''));
  expect([...mine.readOthers()]).toHaveLength(50_000);
  const before = bytesRead();
  const read: number[] = [];
  for (let i = 0; i < 20; i++) {
    // A line that is being written is read when it is whole.
    appendFileSync(path, line(i).slice(0, 3));
    expect([...mine.readOthers()]).toEqual([]);
    appendFileSync(path, line(i).slice(3));
    read.push(...[...mine.readOthers()].map(({ event: { hash } }) => hash));
  }
  expect(read).toEqual(Array.from({ length: 20 }, (_, i) => i));
  if (before !== null) expect((bytesRead() ?? 0) - before).toBeLessThan(statSync(path).size);
  for (const each of [mine, other]) each.close();
});

test('a journal that cannot be read costs none of the others', () => {
  const folder = tempDir();
  const journal = (life: number) => new EvidenceJournal(folder, 'r1', { epoch: 'epoch', life, log: () => undefined });
  const [mine, other] = [journal(1), journal(3)];
  other.append(event);
  mkdirSync(join(folder, 'r1', 'epoch.2'));
  symlinkSync('nowhere', join(folder, 'r1', 'epoch.4')); // gone since it was listed
  expect([...mine.readOthers()]).toEqual([{ event, counted: true }]);
  for (const each of [mine, other]) each.close();
});
