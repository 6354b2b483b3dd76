import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EnvPart, ServiceConfig } from '../../domain/project/project.ts';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import { readTextIfThere } from '../../platform/read-json.ts';
import { namesIn } from './artifacts.ts';

/** What an artifact was built from. */
export interface Input {
  digest: string;
  /** Of the values that the build was given and `digest` does not cover; null when there are none. */
  variant: string | null;
}

/** Remembers which artifact an input was built into. */
export class Inputs {
  readonly #folder: string;
  readonly #keyFile: string;
  #key: Promise<Buffer> | null = null;

  constructor(folder: string, keyFile: string) {
    this.#folder = folder;
    this.#keyFile = keyFile;
  }

  /** Null when it never was; the artifact may be gone since. */
  async find(input: Input): Promise<string | null> {
    const text = await readTextIfThere(this.#file(input));
    return text === null || text.trim() === '' ? null : text.trim();
  }

  async record(input: Input, artifact: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    // Without the values too: the last artifact of these files, whatever it was given.
    for (const each of new Set([this.#file({ ...input, variant: null }), this.#file(input)]))
      await writeFileAtomic(each, `${artifact}\n`);
  }

  /** Forgets the artifacts that are not kept. */
  async sweep(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await namesIn(this.#folder)) {
      const artifact = (await readTextIfThere(join(this.#folder, name)))?.trim() ?? '';
      if (!keep.has(artifact)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /**
   * A build may put secrets and addresses into what it makes (a page that calls an API), and those differ between
   * environments and over time while the template stays: such an artifact serves only who has the same values. A value
   * of a secret goes in by the name of its version, so that nobody can try out short ones against what is stored; where
   * it cannot be told from an address beside it, what is stored is keyed.
   */
  async variantOf(service: ServiceConfig, env: Record<string, string>): Promise<string | null> {
    if (service.build === null) return null;
    const open = Object.entries(service.env).filter(([, parts]) => parts.some((part) => typeof part !== 'string'));
    if (open.length === 0) return null;
    const values = open
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, parts]) => [name, parts.every(isNamed) ? parts : (env[name] ?? null)]);
    return createHmac('sha256', await (this.#key ??= this.#readKey()))
      .update(JSON.stringify(values))
      .digest('hex')
      .slice(0, 32);
  }

  async #readKey(): Promise<Buffer> {
    const stored = await readFile(this.#keyFile).catch(() => null);
    if (stored !== null && stored.length === 32) return stored;
    const fresh = randomBytes(32);
    await mkdir(dirname(this.#keyFile), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#keyFile, fresh);
    return fresh;
  }

  #file({ digest, variant }: Input): string {
    return join(this.#folder, variant === null ? digest : `${digest}.${variant}`);
  }
}

const isNamed = (part: EnvPart): boolean =>
  typeof part === 'string' || 'port' in part || ('secret' in part && part.version !== undefined);
