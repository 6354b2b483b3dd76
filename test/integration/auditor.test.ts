import { appendFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { auditAnchorFile, unwrittenAuditFile } from '../../src/app/audit-files.ts';
import { auditDays } from '../../src/app/audit-days.ts';
import type { AuditContent } from '../../src/domain/audit/entry.ts';
import { type Auditor, createAuditor } from '../../src/engine/audit/auditor.ts';
import { hurryWith } from '../../src/engine/audit/hurry.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { memoryStore } from '../support/simulation/memory-store.ts';
import { createHash } from 'node:crypto';
import { tempDir } from '../support/temp.ts';

const DAY = 86_400_000;
const busy = (): Promise<never> =>
  Promise.reject(new EvenkeelError({ code: 'store-busy', what: 'away', retryable: true, exit: 2 }));

const anAct = (id: string, at = 1): AuditContent => ({
  ...{ id, at, kind: 'asked', about: null, identity: 'local', who: 'ann', source: 'socket', operation: 'down' },
  ...{
    organization: null,
    project: null,
    environment: null,
    service: null,
    rollout: null,
    result: null,
    code: null,
    detail: '{}',
  },
});

let store: Store;
let folder: string;
let now: number;
let logged: string[];
let cuts: number;

beforeEach(() => {
  store = memoryStore();
  folder = tempDir('audit');
  now = 500 * DAY;
  logged = [];
  cuts = 0;
  onTestFinished(() => store.close());
});

const anchorFile = (): string => join(folder, 'anchor.json');
const waitingFile = (): string => join(folder, 'unwritten.ndjson');
const anchorNow = (): unknown => JSON.parse(readFileSync(anchorFile(), 'utf8'));
const ids = async (): Promise<string[]> => (await store.auditEntries({ after: 0, limit: 99 })).map(({ id }) => id);

/** As a controller has it that has just begun. */
function auditor(over: Partial<Store> = {}): Auditor {
  const clock = { ...systemClock, now: () => now };
  return createAuditor({
    store: { ...store, ...over },
    clock,
    log: {
      info: () => undefined,
      warn: (_, message) => void logged.push(message),
      error: (_, message) => void logged.push(message),
    },
    newId: () => `cut ${++cuts}`,
    unwritten: unwrittenAuditFile(waitingFile()),
    anchor: auditAnchorFile(anchorFile()),
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    hurry: hurryWith(clock, () => false),
    days: 400,
  });
}

describe('what cannot be put into the chain', () => {
  test('waits in the home, for its owner alone, and comes before what is asked for later', async () => {
    await auditor({ appendAudit: busy }).write([anAct('a'), anAct('b')], { hurry: true });
    expect(statSync(waitingFile()).mode & 0o777).toBe(0o600);
    await auditor().write([anAct('c')], { hurry: false });
    expect(await ids()).toEqual(['a', 'b', 'c']);
    expect(existsSync(waitingFile())).toBe(false);
  });

  test('is there once, whenever somebody died while it was put there', async () => {
    await auditor({ appendAudit: busy }).write([anAct('a')], { hurry: true });
    // Put there, and the file not yet away; and half of a line by whoever died while writing it.
    await store.appendAudit([anAct('a')]);
    renameSync(waitingFile(), `${waitingFile()}.taking`);
    writeFileSync(waitingFile(), '{"id":"half');
    await auditor({ appendAudit: busy }).write([anAct('b')], { hurry: true });
    await auditor().reconcile();
    await auditor().reconcile();
    expect(await ids()).toEqual(['a', 'b']);
    expect(existsSync(waitingFile())).toBe(false);
  });

  test('is there once, when the store took its time and has it after all', async () => {
    const slow = Promise.withResolvers<void>();
    const asked = auditor({
      async appendAudit(contents) {
        await slow.promise;
        return store.appendAudit(contents);
      },
    });
    await asked.write([anAct('a')], { hurry: true });
    expect(await ids()).toEqual([]);
    slow.resolve();
    await expect.poll(ids).toEqual(['a']);
    await auditor().reconcile();
    expect(await ids()).toEqual(['a']);
  });

  test('is said to whoever asks when nothing takes it', async () => {
    writeFileSync(join(folder, 'file'), '');
    const nowhere = createAuditor({
      store: { ...store, appendAudit: busy },
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined, error: (_, message) => void logged.push(message) },
      newId: () => 'x',
      unwritten: unwrittenAuditFile(join(folder, 'file', 'unwritten')),
      anchor: auditAnchorFile(anchorFile()),
      digest: String,
      hurry: hurryWith(systemClock, () => true),
      days: 1,
    });
    await expect(nowhere.write([anAct('a')], { hurry: true })).rejects.toMatchObject({ code: 'store-busy' });
    expect(logged).toMatchObject([expect.stringContaining('nor in the home')]);
  });
});

describe('the anchor', () => {
  test('follows the end of the chain, in a file for its owner alone', async () => {
    const acting = auditor();
    for (const id of ['a', 'b', 'c']) await acting.write([anAct(id)], { hurry: false });
    expect(await acting.verify()).toMatchObject({ anchor: { seq: 3 }, found: 0 });
    expect(anchorNow()).toEqual(await store.auditHead());
    expect(statSync(anchorFile()).mode & 0o777).toBe(0o600);
  });

  test('stays where it is once the chain is not what it says, for whoever looks into it', async () => {
    await auditor().write([anAct('a'), anAct('b')], { hurry: false });
    await expect.poll(() => existsSync(anchorFile())).toBe(true);
    // Somebody has written it all anew.
    const witness = anchorNow();
    store = memoryStore();
    for (const id of ['x', 'y', 'z']) {
      const next = auditor();
      await next.write([anAct(id)], { hurry: false });
      await next.verify();
    }
    expect(anchorNow()).toEqual(witness);
    expect(logged.join()).toContain('is not what the anchor file says');
    expect((await auditor().verify()).findings).toMatchObject([{ fault: 'rewritten', seq: 2 }]);
  });

  test('that somebody has scribbled into is said to be unreadable', async () => {
    appendFileSync(anchorFile(), 'not JSON');
    await auditor().write([anAct('a')], { hurry: false });
    await expect(auditor().verify()).rejects.toMatchObject({ code: 'audit-anchor-unreadable' });
    expect(readFileSync(anchorFile(), 'utf8')).toBe('not JSON');
  });
});

test('what was removed from the end is missed by the next entry, also without an anchor', async () => {
  const file = join(folder, 'store.db');
  store = await openSqliteStore({ file });
  onTestFinished(() => store.close());
  await store.appendAudit([anAct('a'), anAct('b'), anAct('c')]);
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec('delete from audit where seq > 1');
  database.close();
  await store.appendAudit([anAct('d')]);
  expect((await auditor().verify()).findings).toMatchObject([
    { fault: 'missing', seq: 2, what: 'entries 2 to 3 are missing' },
  ]);
});

describe('what is too old', () => {
  test('is cut off once a day, behind a checkpoint, and the rest holds', async () => {
    const acting = auditor();
    await acting.write([anAct('a', 98.5 * DAY), anAct('b', 99.9 * DAY), anAct('c', 200 * DAY)], { hurry: false });
    await acting.forget();
    expect(await ids()).toEqual(['c', 'cut 1']);
    await acting.forget();
    now += DAY / 2;
    await acting.forget();
    expect(await ids()).toEqual(['c', 'cut 1']);
    expect(await acting.verify()).toMatchObject({ entries: 2, first: 3, anchor: { seq: 4 }, found: 0 });
    // A controller that begins later finds its anchor among what was cut, if it was long away.
    now += 1_000 * DAY;
    const later = auditor();
    await later.forget();
    await later.write([anAct('d', now)], { hurry: false });
    expect(await later.verify()).toMatchObject({ entries: 2, anchor: { seq: 6 }, found: 0 });
  });

  test.each([
    ['', 400],
    ['90', 90],
    ['0', 400],
    ['ten', 400],
    ['1.5', 400],
  ])('EVENKEEL_AUDIT_DAYS=%s keeps %d days', (text, days) => {
    expect(auditDays({ EVENKEEL_AUDIT_DAYS: text }, (message) => void logged.push(message))).toBe(days);
    expect(logged).toHaveLength(days === 400 && text !== '' ? 1 : 0);
  });
});
