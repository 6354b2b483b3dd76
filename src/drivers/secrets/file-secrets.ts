import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { takeLock } from '../../platform/lock.ts';
import type { SecretInfo, Secrets, SecretScope } from '../../ports/secrets.ts';
import { createKey, readKey } from './key-file.ts';
import { keyMark, seal, unseal } from './seal.ts';
import { placeOf, readSecretsFile, type SecretEntry, type SecretsFile, secretsUnreadable } from './secrets-file.ts';
import { refuseUnusable, secretMissing, secretsBusy, secretsUnwritable } from './secrets-refusals.ts';

export interface FileSecretsOptions {
  /** Holds the encrypted values; names and times lie open in it. */
  file: string;
  /** Holds the key, 32 bytes; made on first use. Not to be kept, or backed up, together with `file`. */
  keyFile: string;
}

/** How long another process that writes is waited for, ms. */
const LOCK_MS = 5_000;

/** Secrets in a file, each sealed with AES-256-GCM. Several processes may write to it; a lock puts them in order. */
export function fileSecrets(options: FileSecretsOptions): Secrets {
  return new FileSecrets(options);
}

class FileSecrets implements Secrets {
  readonly #file: string;
  readonly #keyFile: string;
  #writing: Promise<unknown> = Promise.resolve();

  constructor({ file, keyFile }: FileSecretsOptions) {
    this.#file = file;
    this.#keyFile = keyFile;
  }

  async set(scope: SecretScope, name: string, value: string, by?: string): Promise<void> {
    await this.setAll(scope, new Map([[name, value]]), by ?? null);
  }

  async setAll(scope: SecretScope, values: ReadonlyMap<string, string>, by: string | null): Promise<string[]> {
    for (const [name, value] of values) refuseUnusable(name, value);
    if (values.size === 0) return [];
    return this.#alone(async () => {
      const stored = await readSecretsFile(this.#file);
      const empty = stored === null || stored.secrets.length + stored.former.length === 0;
      const key = empty ? await this.#anyKey() : await this.#keyOf(stored);
      let next: SecretsFile = empty
        ? { version: 1, key: keyMark(key), secrets: [], former: [] }
        : { ...stored, key: keyMark(key) };
      const changed: string[] = [];
      for (const [name, value] of values) {
        const before = next.secrets.find((each) => isAt(each, scope, name));
        const known = before === undefined ? null : unseal(key, placeOf(before), before.sealed);
        if (known === value) continue;
        // What does not open any more is of no use to anybody.
        const former = before === undefined || known === null ? [] : [before];
        next = {
          ...next,
          secrets: [...next.secrets.filter((each) => each !== before), newEntry(key, scope, name, value, by)],
          former: [...next.former, ...former],
        };
        changed.push(name);
      }
      if (changed.length > 0) await this.#write(next);
      return changed;
    });
  }

  async list(scope: SecretScope): Promise<SecretInfo[]> {
    const found = (await readSecretsFile(this.#file))?.secrets.filter((each) => isIn(each, scope)) ?? [];
    return found
      .map(({ name, updatedAt, setBy, version }) => ({ name, updatedAt, setBy, version }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async remove(scope: SecretScope, name: string): Promise<boolean> {
    return this.#alone(async () => {
      const stored = await readSecretsFile(this.#file);
      const without = (entries: SecretEntry[]): SecretEntry[] => entries.filter((each) => !isAt(each, scope, name));
      if (stored === null || !stored.secrets.some((each) => isAt(each, scope, name))) return false;
      await this.#write({ ...stored, secrets: without(stored.secrets), former: without(stored.former) });
      return true;
    });
  }

  async resolve(
    scope: SecretScope,
    names: string[],
    versions: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, string>> {
    if (names.length === 0) return {};
    const stored = await readSecretsFile(this.#file);
    const entries = new Map(stored?.secrets.filter((each) => isIn(each, scope)).map((each) => [each.name, each]));
    const missing = names.filter((name) => !entries.has(name));
    if (stored === null || missing.length > 0) throw secretMissing(scope, missing);
    for (const each of stored.former)
      if (isIn(each, scope) && versions[each.name] === each.version) entries.set(each.name, each);
    const key = await this.#keyOf(stored);
    return Object.fromEntries(names.map((name) => [name, this.#open(key, scope, entries.get(name))]));
  }

  async forgetFormer(isNeeded: Parameters<Secrets['forgetFormer']>[0]): Promise<number> {
    // Most of the time there are none, and nothing is locked for that.
    if (((await readSecretsFile(this.#file))?.former.length ?? 0) === 0) return 0;
    return this.#alone(async () => {
      const stored = await readSecretsFile(this.#file);
      const former = stored?.former.filter((each) => isNeeded(each)) ?? [];
      const forgotten = (stored?.former.length ?? 0) - former.length;
      if (stored !== null && forgotten > 0) await this.#write({ ...stored, former });
      return forgotten;
    });
  }

  #open(key: Uint8Array, scope: SecretScope, entry: SecretEntry | undefined): string {
    const value = entry === undefined ? null : unseal(key, placeOf(entry), entry.sealed);
    if (value !== null) return value;
    const name = entry?.name ?? '';
    throw secretsUnreadable(
      this.#file,
      `the value of ${name} was altered`,
      `evenkeel secrets set ${name} --env ${scope.environment}`,
    );
  }

  async #anyKey(): Promise<Buffer> {
    return (await readKey(this.#keyFile)) ?? createKey(this.#keyFile);
  }

  /** A new key in the place of a lost one would make all that is stored unreadable for good. */
  async #keyOf(stored: SecretsFile): Promise<Buffer> {
    const key = await readKey(this.#keyFile);
    const back = `Put the right key back at ${this.#keyFile}; or, if it is lost, remove ${this.#file} and set all secrets again.`;
    if (key === null) throw secretsUnreadable(this.#file, `its key ${this.#keyFile} is missing`, back);
    if (keyMark(key) === stored.key) return key;
    throw secretsUnreadable(this.#file, `${this.#keyFile} is another key than the one it was written with`, back);
  }

  async #write(stored: SecretsFile): Promise<void> {
    try {
      await writeFileAtomic(this.#file, `${JSON.stringify(stored, null, 1)}\n`);
    } catch (cause) {
      throw secretsUnwritable(this.#file, cause);
    }
  }

  /** One change after the other, also of other processes: each reads the whole file and writes it anew. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#writing.then(async () => {
      const lock = await this.#lock();
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
    this.#writing = run.catch(() => undefined);
    return run;
  }

  async #lock(): Promise<{ release(): void }> {
    let lock;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      lock = await takeLock(`${this.#file}.lock`, { waitMs: LOCK_MS });
    } catch (cause) {
      throw secretsUnwritable(this.#file, cause);
    }
    if (lock === null) throw secretsBusy(this.#file);
    return lock;
  }
}

function newEntry(
  key: Uint8Array,
  { project, environment }: SecretScope,
  name: string,
  value: string,
  setBy: string | null,
): SecretEntry {
  const place = { project, environment, name, version: randomBytes(6).toString('hex') };
  return { ...place, updatedAt: Date.now(), setBy, sealed: seal(key, placeOf(place), value) };
}

const isIn = (entry: SecretEntry, scope: SecretScope): boolean =>
  entry.project === scope.project && entry.environment === scope.environment;

const isAt = (entry: SecretEntry, scope: SecretScope, name: string): boolean =>
  isIn(entry, scope) && entry.name === name;
