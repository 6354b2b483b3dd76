import { appendFileSync, closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { logReader } from '../../src/drivers/runtime/process/logs/log-reader.ts';
import { runCommand, spawnDetached } from '../../src/platform/process/spawn.ts';
import type { LogQuery } from '../../src/ports/logs.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const who = { service: 'api', release: 'api@42', instance: 'api-0' };

function query(file: string, change: Partial<LogQuery> = {}): LogQuery {
  return {
    files: [{ file, ...who }],
    lines: 1_000_000,
    follow: false,
    signal: new AbortController().signal,
    ...change,
  };
}

async function linesOf(file: string, change: Partial<LogQuery> = {}, reader = logReader()): Promise<string[]> {
  const lines: string[] = [];
  for await (const { line } of reader.read(query(file, change))) lines.push(line);
  return lines;
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i} ${'x'.repeat(40)}`);
const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('');

/** Counts to a number as fast as it can, appending to the file as an instance does; resolves with its pid. */
async function counter(file: string, to: number): Promise<number> {
  const script = `const fs = require('fs');
    for (let i = 0; i < ${to}; i++) { fs.writeSync(1, 'line ' + i + ' ' + 'x'.repeat(80) + '\\n'); }`;
  const output = openSync(file, 'a');
  try {
    return await spawnDetached([process.execPath, '-e', script], { cwd: '/', env: { LOG: file }, output });
  } finally {
    closeSync(output);
  }
}

test('gives the last lines, whole, also the one that has no end yet', async () => {
  const file = join(tempDir(), 'api.log');
  writeFileSync(file, text(numbered(0, 5000)) + 'no end');
  expect(await linesOf(file, { lines: 3 })).toEqual([...numbered(4998, 5000), 'no end']);
  expect(await linesOf(file, { lines: 0 })).toEqual([]);
  expect(await linesOf(file)).toHaveLength(5001);
  expect(await linesOf(join(tempDir(), 'none.log'))).toEqual([]);
});

test('rotation gives the disk back and loses no line that a reader may still want', async () => {
  const file = join(tempDir(), 'api.log');
  const reader = logReader({ maxBytes: 64 * 1024, keep: 3 });
  const lines = numbered(0, 6000);
  for (let i = 0; i < lines.length; i += 500) {
    appendFileSync(file, text(lines.slice(i, i + 500)));
    await reader.maintain([file]);
  }
  const kept = await linesOf(file);
  expect(kept.length).toBeGreaterThan(2000);
  expect(kept).toEqual(lines.slice(-kept.length));
  expect(diskUsage(file)).toBeLessThan(64 * 1024 * 5);
  expect(await linesOf(file, { lines: 2500 })).toEqual(lines.slice(-2500));
});

test('loses nothing of a flood that it is rotated under, seen by somebody who follows', async () => {
  const file = join(tempDir(), 'api.log');
  const reader = logReader({ maxBytes: 256 * 1024, keep: 200 });
  writeFileSync(file, '');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const total = 60_000;
  const seen: string[] = [];
  const following = (async () => {
    for await (const { line } of reader.read(query(file, { follow: true, signal: stop.signal }))) {
      seen.push(line);
      if (seen.length === total) return;
    }
  })();
  await counter(file, total);
  const rotating = (async () => {
    while (seen.length < total && !stop.signal.aborted) await reader.maintain([file]);
  })();
  await Promise.all([following, rotating]);
  expect(seen.findIndex((line, i) => !line.startsWith(`line ${i} `))).toBe(-1);
  expect(readdirSync(join(file, '..')).some((name) => /\.\d{15}$/.test(name))).toBe(true);
});

test('a flood that nobody can keep up with stays within its share of the disk, and says what was dropped', async () => {
  const file = join(tempDir(), 'api.log');
  const reader = logReader({ maxBytes: 100_000, keep: 2 });
  appendFileSync(file, text(numbered(0, 2500)));
  await reader.maintain([file]);
  appendFileSync(file, text(numbered(2500, 40_000)));
  await reader.maintain([file]);
  expect(diskUsage(file)).toBeLessThan(100_000 * 4);
  const kept = await linesOf(file);
  expect(kept.at(-1)).toBe(numbered(39_999, 40_000)[0]);
});

test('cuts a giant line, and says so', async () => {
  const file = join(tempDir(), 'api.log');
  writeFileSync(file, `before\n${'é'.repeat(4_000_000)}\nafter\n`);
  const lines = await linesOf(file);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^é+… \(\d+ bytes cut\)$|^é+.? … \(\d+ bytes cut\)$/);
  expect(lines[1]?.length).toBeLessThan(40_000);
  expect(lines[2]).toBe('after');
});

test('follows from now on, through the birth of the file, and shows a line without end after a while', async () => {
  const file = join(tempDir(), 'api.log');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen: string[] = [];
  const following = (async () => {
    for await (const { line } of logReader().read(query(file, { follow: true, lines: 5, signal: stop.signal })))
      seen.push(line);
  })();
  appendFileSync(file, 'first\n');
  await waitFor(() => seen.includes('first'), { what: 'the first line' });
  appendFileSync(file, 'Continue? [y/N] ');
  await waitFor(() => seen.length === 2, { what: 'the prompt' });
  stop.abort();
  await following;
  expect(seen).toEqual(['first', 'Continue? [y/N] ']);
});

test('knows when lines were written, to about a second, and where it was not looking, says so', async () => {
  const file = join(tempDir(), 'api.log');
  const reader = logReader({}, 0);
  appendFileSync(file, 'before anybody looked\n');
  await reader.maintain([file]);
  const before = Date.now();
  appendFileSync(file, 'under watch\n');
  await reader.maintain([file]);
  const entries = [];
  for await (const entry of reader.read(query(file))) entries.push(entry);
  expect(entries[0]).toEqual({ at: null, line: 'before anybody looked', ...who });
  expect(entries[1]?.at).toBeGreaterThanOrEqual(before);
  expect(entries[1]?.at).toBeLessThanOrEqual(Date.now());
});

test('knows when the first lines of a young log were written', async () => {
  const file = join(tempDir(), 'api.log');
  const reader = logReader();
  const before = Date.now();
  appendFileSync(file, 'listening\n');
  await reader.maintain([file]);
  const entries = [];
  for await (const entry of reader.read(query(file))) entries.push(entry);
  expect(entries[0]?.at).toBeGreaterThanOrEqual(before);
});

test('tells several logs in the order of their times', async () => {
  const folder = tempDir();
  const reader = logReader();
  const files = ['a', 'b'].map((instance) => ({ ...who, instance, file: join(folder, `${instance}.log`) }));
  const paths = files.map(({ file }) => file);
  for (const path of paths) writeFileSync(path, '');
  await reader.maintain(paths);
  for (const [index, which] of [0, 1, 0, 1].entries()) {
    appendFileSync(paths[which] ?? '', `event ${index}\n`);
    await reader.maintain(paths);
    const noted = Date.now();
    await waitFor(() => Date.now() > noted, { what: 'the next millisecond', interval: 1 });
  }
  const lines: string[] = [];
  for await (const entry of reader.read({ ...query(''), files })) lines.push(`${entry.instance} ${entry.line}`);
  expect(lines).toEqual(['a event 0', 'b event 1', 'a event 2', 'b event 3']);
});

test.runIf(process.getuid?.() === 0)(
  'rotates by truncation where the file system has no holes, with offsets that go on',
  async () => {
    const folder = tempDir('ramfs');
    await runCommand(['mount', '-t', 'ramfs', 'ramfs', folder]);
    onTestFinished(async () => void (await runCommand(['umount', '--lazy', folder])));
    const file = join(folder, 'api.log');
    const reader = logReader({ maxBytes: 32 * 1024, keep: 4 });
    const lines = numbered(0, 6000);
    for (let i = 0; i < lines.length; i += 500) {
      appendFileSync(file, text(lines.slice(i, i + 500)));
      await reader.maintain([file]);
    }
    expect(statSync(file).size).toBeLessThan(64 * 1024);
    const kept = await linesOf(file);
    expect(kept.length).toBeGreaterThan(1500);
    expect(kept).toEqual(lines.slice(-kept.length));
    // A crash between truncation and the note of it heals.
    rmSync(`${file}.shift`);
    expect(await linesOf(file, { lines: 100 })).toEqual(lines.slice(-100));
  },
);

function diskUsage(file: string): number {
  const folder = join(file, '..');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
}
