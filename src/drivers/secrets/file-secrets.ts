import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { SecretInfo, Secrets, SecretScope } from '../../ports/secrets.ts';
import { createKey, readKey } from './key-file.ts';
import { keyMark, seal, unseal } from './seal.ts';
import { readSecretsFile, type SecretsFile, secretsUnreadable } from './secrets-file.ts';

export interface FileSecretsOptions {
  /** Holds the encrypted values; names and times lie open in it. */
  file: string;
  /** Holds the key, 32 bytes; made on first use. Not to be kept, or backed up, together with `file`. */
  keyFile: string;
}

const NAME = /^[A-Z][A-Z0-9_]*$/;
/** Linux takes no longer string into an environment. */
const MAX_BYTES = 120 * 1024;

type Entry = SecretsFile['secrets'][number];

/** Secrets in a file, each sealed with AES-256-GCM. One process at a time may write to it. */
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

  async set(scope: SecretScope, name: string, value: string): Promise<void> {
    refuseUnusable(name, value);
    await this.#alone(async () => {
      const stored = await this.#read();
      const others = stored?.secrets.filter((each) => !isAt(each, scope, name)) ?? [];
      const key = stored === null || stored.secrets.length === 0 ? await this.#anyKey() : await this.#keyOf(stored);
      const entry = { ...scopeOf(scope), name, updatedAt: Date.now(), sealed: seal(key, { ...scope, name }, value) };
      await this.#write({ version: 1, key: keyMark(key), secrets: [...others, entry] });
    });
  }

  async list(scope: SecretScope): Promise<SecretInfo[]> {
    const found = (await this.#read())?.secrets.filter((each) => isIn(each, scope)) ?? [];
    return found.map(({ name, updatedAt }) => ({ name, updatedAt })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async remove(scope: SecretScope, name: string): Promise<boolean> {
    return this.#alone(async () => {
      const stored = await this.#read();
      const others = stored?.secrets.filter((each) => !isAt(each, scope, name)) ?? [];
      if (stored === null || others.length === stored.secrets.length) return false;
      await this.#write({ ...stored, secrets: others });
      return true;
    });
  }

  async resolve(scope: SecretScope, names: string[]): Promise<Record<string, string>> {
    if (names.length === 0) return {};
    const stored = await this.#read();
    const entries = new Map(stored?.secrets.filter((each) => isIn(each, scope)).map((each) => [each.name, each]));
    const missing = names.filter((name) => !entries.has(name));
    if (stored === null || missing.length > 0) throw secretMissing(scope, missing);
    const key = await this.#keyOf(stored);
    return Object.fromEntries(
      names.map((name) => [name, this.#open(key, scope, name, entries.get(name)?.sealed ?? '')]),
    );
  }

  #open(key: Uint8Array, scope: SecretScope, name: string, sealed: string): string {
    const value = unseal(key, { ...scope, name }, sealed);
    if (value === null)
      throw this.#unreadable(
        `the value of ${name} was altered`,
        `evenkeel secrets set ${name} --env ${scope.environment}`,
      );
    return value;
  }

  async #anyKey(): Promise<Buffer> {
    return (await readKey(this.#keyFile)) ?? createKey(this.#keyFile);
  }

  /** A new key in the place of a lost one would make all that is stored unreadable for good. */
  async #keyOf(stored: SecretsFile): Promise<Buffer> {
    const key = await readKey(this.#keyFile);
    const back = `Put the right key back at ${this.#keyFile}; or, if it is lost, remove ${this.#file} and set all secrets again.`;
    if (key === null) throw this.#unreadable(`its key ${this.#keyFile} is missing`, back);
    if (keyMark(key) !== stored.key)
      throw this.#unreadable(`${this.#keyFile} is another key than the one it was written with`, back);
    return key;
  }

  #read(): Promise<SecretsFile | null> {
    return readSecretsFile(this.#file);
  }

  async #write(stored: SecretsFile): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.#file, `${JSON.stringify(stored, null, 1)}\n`);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new EvenkeelError({
        code: 'secrets-unwritable',
        what: 'The secret was not stored.',
        where: this.#file,
        why: code === 'ENOSPC' ? 'no space is left on the disk' : `the file cannot be written (${code})`,
        next: 'Nothing was changed; correct that and try again.',
        retryable: true,
        cause,
      });
    }
  }

  /** One change after the other: each reads the whole file and writes it anew. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#writing.then(work);
    this.#writing = run.catch(() => undefined);
    return run;
  }

  #unreadable(why: string, next: string): EvenkeelError {
    return secretsUnreadable(this.#file, why, next);
  }
}

function secretMissing({ environment }: SecretScope, names: string[]): EvenkeelError {
  const one = names.length === 1;
  return new EvenkeelError({
    code: 'secret-missing',
    what: `The ${one ? 'secret' : 'secrets'} ${names.join(', ')} ${one ? 'is' : 'are'} not set for ${environment}.`,
    where: 'env in evenkeel.yaml',
    next: names.map((name) => `evenkeel secrets set ${name} --env ${environment}`).join('\n'),
  });
}

/** Values are never part of a message. */
function refuseUnusable(name: string, value: string): void {
  const why = !NAME.test(name)
    ? 'names consist of capital letters, digits and _, and begin with a letter'
    : value.includes('\0')
      ? 'its value holds a NUL character, which no environment can hold'
      : Buffer.byteLength(value) > MAX_BYTES
        ? `its value is longer than ${MAX_BYTES / 1024} KiB, which no environment can hold`
        : null;
  if (why === null) return;
  throw new EvenkeelError({
    code: 'secret-invalid',
    what: `The secret ${JSON.stringify(name)} cannot be stored.`,
    why,
    next: 'evenkeel secrets set NAME',
  });
}

const scopeOf = ({ project, environment }: SecretScope): SecretScope => ({ project, environment });

const isIn = (entry: Entry, scope: SecretScope): boolean =>
  entry.project === scope.project && entry.environment === scope.environment;

const isAt = (entry: Entry, scope: SecretScope, name: string): boolean => isIn(entry, scope) && entry.name === name;
