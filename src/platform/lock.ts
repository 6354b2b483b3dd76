import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isIdentity } from './is-identity.ts';
import { isAlive, processIdentity } from './process/identity.ts';
import { readJson } from './read-json.ts';

/** Between two tries, ms. */
const PAUSE = 15;

export interface Lock {
  release(): void;
}

/** A database that nothing refers to is collected as garbage, and closed with that: the lock would be free. */
const held = new Set<() => void>();

/**
 * Takes an exclusive lock on a file, or returns null when somebody else holds it. The kernel holds it for this process
 * and frees it however the process ends. Waits up to `waitMs` without blocking; the default bridges the moment in which
 * `lockHolder` looks.
 *
 * The lock is SQLite's (`begin exclusive`), since Node offers no other; never open the file by other means in the
 * process that holds it, because closing any descriptor of it would free the lock.
 */
export async function takeLock(file: string, { waitMs = 100 }: { waitMs?: number } = {}): Promise<Lock | null> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const free = await tryExclusive(file);
    if (free !== null) {
      held.add(free);
      noteHolder(file);
      return {
        release: () => {
          held.delete(free);
          rmSync(holderFile(file), { force: true });
          free();
        },
      };
    }
    if (performance.now() >= deadline) return null;
    await sleep(PAUSE);
  }
}

function noteHolder(file: string): void {
  try {
    writeFileSync(holderFile(file), JSON.stringify(processIdentity(process.pid)), { mode: 0o600 });
  } catch {
    // On a full disk the lock still holds; only nobody can say whose it is.
  }
}

/** Whether somebody holds the lock, and who (`pid` is null in the moment before it is written down). */
export async function lockHolder(file: string): Promise<{ held: false } | { held: true; pid: number | null }> {
  if (!existsSync(file)) return { held: false };
  const free = await tryExclusive(file);
  if (free !== null) {
    free();
    return { held: false };
  }
  // The note may still be of a former holder, whose number somebody else may have by now.
  const noted = await readJson(holderFile(file));
  return { held: true, pid: isIdentity(noted) && isAlive(noted) ? noted.pid : null };
}

const holderFile = (file: string): string => `${file}.pid`;

async function tryExclusive(file: string): Promise<(() => void) | null> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('begin exclusive');
    return () => database.close();
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null; // SQLITE_BUSY
    throw error;
  }
}
