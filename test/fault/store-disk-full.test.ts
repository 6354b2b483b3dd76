import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openTelemetry } from '../../src/store/telemetry/open.ts';
import { anEntry, aRelease, aRequest, aRollout } from '../conformance/store-fixtures.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

function asRoot(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'ignore' });
}

/** A disk of its own, of 24 MB; only root may make one. */
function smallDisk(): string {
  const disk = join(tempDir('disk'), 'disk');
  mkdirSync(disk);
  asRoot('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk);
  onTestFinished(() => asRoot('umount', '--lazy', disk));
  return disk;
}

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    asRoot('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt');
    return true;
  } catch {
    return false;
  }
}

/** Takes all the room there is; answers how to give it free. */
function fill(disk: string): () => void {
  const file = join(disk, 'filler');
  const handle = openSync(file, 'w');
  try {
    for (let size = 65_536; size >= 1;) {
      try {
        writeSync(handle, Buffer.alloc(size));
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
  return () => rmSync(file);
}

/** Ordinary writes, until there is no room for them. */
async function writeUntilFull(store: Store): Promise<unknown> {
  for (let number = 1; ; number++) {
    try {
      await store.addReleases([aRelease('filler', number)]);
    } catch (error) {
      return error;
    }
  }
}

describe.skipIf(!canMount())('on a full disk', () => {
  test('a rollout can still be aborted, nothing new begins, and all is well again once there is room', async () => {
    const disk = smallDisk();
    const file = join(disk, 'state.db');
    const store = await openSqliteStore({ file });
    onTestFinished(() => store.close());
    const created = await store.createRollout(aRollout('r1', ['api']), anEntry());
    if (!created.created) throw new Error('refused');
    const giveFree = fill(disk);

    expect(await writeUntilFull(store)).toMatchObject({ code: 'store-full', where: file });
    expect(existsSync(`${file}.reserve`)).toBe(true);

    await store.addRequest(aRequest('r1'));
    const abort = anEntry({ from: 'pending', to: 'aborted', reason: 'asked for by ann' });
    const aborted = await store.saveRollout({ ...created.rollout, end: 'aborted', endedAt: 5 }, 1, [abort]);
    expect(aborted).toMatchObject({ saved: true, rollout: { end: 'aborted' } });
    expect(existsSync(`${file}.reserve`)).toBe(false);
    expect(await store.journal('r1')).toHaveLength(2);
    await expect(store.createRollout(aRollout('r2', ['api']), anEntry())).rejects.toMatchObject({ code: 'store-full' });
    expect(await store.rollout('r2')).toBeNull();

    giveFree();
    await waitFor(() => store.createRollout(aRollout('r2', ['api']), anEntry()).then(({ created: made }) => made), {
      what: 'the store to take a new rollout',
      timeout: 20_000,
    });
    expect(existsSync(`${file}.reserve`)).toBe(true);
  });

  test('a store can be opened, read and brought to an end', async () => {
    const disk = smallDisk();
    const file = join(disk, 'state.db');
    const first = await openSqliteStore({ file });
    await first.createRollout(aRollout('r1', ['api']), anEntry());
    await first.close();
    fill(disk);
    const store = await openSqliteStore({ file });
    onTestFinished(() => store.close());
    expect(await store.rollout('r1')).toEqual(aRollout('r1', ['api']));
    expect(await store.nextFence()).toBe(1);
    const ended = { ...aRollout('r1', ['api']), end: 'aborted', endedAt: 5 } as const;
    expect(await store.saveRollout(ended, 1, [anEntry()])).toMatchObject({ saved: true });
  });

  test('statistics are lost with one warning, and go on when there is room', async () => {
    const disk = smallDisk();
    const file = join(disk, 'telemetry.db');
    const warnings: string[] = [];
    const telemetry = await openTelemetry({ file, collectMs: 0, warn: (message) => warnings.push(message) });
    onTestFinished(() => telemetry.close());
    const giveFree = fill(disk);
    const sample = (at: number) => ({ at, key: 'k', release: 'api@1', requests: 1, bad: 0, classes: [], ttfb: [] });
    let at = 0;
    for (; warnings.length === 0; at += 1_000) {
      await telemetry.record({ edge: Array.from({ length: 1_000 }, (_, index) => sample(at + index)), instances: [] });
    }
    await telemetry.record({ edge: [sample(at)], instances: [] });
    expect(warnings).toEqual([expect.stringContaining('cannot be written')]);
    giveFree();
    await telemetry.record({ edge: [sample(at + 1)], instances: [] });
    const query = { key: 'k', from: at, to: at + 2, resolution: '10s' } as const;
    expect(await telemetry.edge(query)).toHaveLength(2);
    expect(warnings).toHaveLength(1);
  });
});
