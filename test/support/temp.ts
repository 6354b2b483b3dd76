import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runId } from './run-id.ts';

/**
 * Makes an empty folder and returns its absolute path, links resolved.
 *
 * Called inside a test it is removed when the test is finished; called in `beforeAll` or at the top of a `describe` or
 * file, when the whole file is. Stop whatever writes there first (`onTestFinished` hooks run in reverse order): a folder that
 * comes back, or a process that still works in it, fails the test file.
 */
export function tempDir(name = 'd'): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `${runId()}-${name}-`)));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    onTestFinished(remove);
  } catch {
    removedAtTheEnd.push(remove); // not inside a test: the folder is shared by several
  }
  return path;
}

const removedAtTheEnd: (() => Promise<void>)[] = [];

/** Removes the folders that several tests shared. Called by the leak check, after every hook of the test file. */
export async function removeSharedFolders(): Promise<void> {
  await Promise.all(removedAtTheEnd.splice(0).map((remove) => remove()));
}

/** Paths of the folders of this test file that still exist. */
export function remainingTempDirs(): string[] {
  return readdirSync(tmpdir())
    .filter((entry) => entry.startsWith(runId()))
    .map((entry) => join(tmpdir(), entry));
}
