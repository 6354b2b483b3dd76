import { posix } from 'node:path';

import { parseDocument } from 'yaml';

import { parseEnvFile } from '../../env-file.ts';
import type { FolderReader } from '../folder-reader.ts';
import { resolved } from './interpolate.ts';
import { asBuild, mergeService } from './merge.ts';
import { isMap, listOf, scalarText } from './model.ts';
import type { Raw } from './model.ts';

const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

export interface ComposeProject {
  file: string;
  services: Map<string, Raw>;
  /** Everything at the top of all files. */
  top: Raw;
  /** Of `.env`. */
  known: ReadonlyMap<string, string>;
  notes: string[];
}

/** The compose file of a folder with its override, what it includes and what it extends; null when there is none. */
export async function readCompose(reader: FolderReader): Promise<ComposeProject | null> {
  const file = await firstOf(reader, NAMES);
  if (file === null) return null;
  const known = parseEnvFile((await reader.read('.env')) ?? '', '.env').values;
  const files = new ComposeFiles(reader, known);
  const project = { file, top: {}, services: new Map<string, Raw>(), known, notes: files.notes };
  const main = await files.read(file);
  if (main === null) return project;
  const stem = file.replace(/\.ya?ml$/, '');
  const override = await firstOf(reader, [`${stem}.override.yml`, `${stem}.override.yaml`]);
  const over = override === null ? null : await files.read(override);
  if (over !== null)
    files.notes.push(`${file}: ${override} was put over it, as compose does; it often is for development only`);
  const others = (await reader.files('.')).filter(
    (name) => /^(docker-)?compose\.[\w.-]+\.ya?ml$/.test(name) && name !== override && !files.seen.has(name),
  );
  for (const name of others)
    files.notes.push(`${name} is not read: write what differs in an environment under \`environments\``);
  const services = mergeAll(main.services, over?.services ?? new Map<string, Raw>());
  return { ...project, services, top: { ...main.top, ...over?.top } };
}

interface Contents {
  services: Map<string, Raw>;
  top: Raw;
}

class ComposeFiles {
  readonly notes: string[] = [];
  readonly seen = new Set<string>();
  readonly #reader: FolderReader;
  readonly #known: ReadonlyMap<string, string>;

  constructor(reader: FolderReader, known: ReadonlyMap<string, string>) {
    this.#reader = reader;
    this.#known = known;
  }

  async read(file: string, base = posix.dirname(file)): Promise<Contents | null> {
    const document = await this.#document(file);
    if (document === null) return null;
    let contents: Contents = { services: new Map(), top: document };
    for (const entry of listOf(document['include'])) contents = await this.#include(contents, entry, base);
    const own = new Map<string, Raw>();
    const written = isMap(document['services']) ? document['services'] : {};
    for (const [name, raw] of Object.entries(written)) {
      if (isMap(raw)) own.set(name, await this.#extended(rebase(raw, base), file, name, written, []));
      else this.notes.push(`${file}: \`${name}\` says nothing, and is left out`);
    }
    return { services: mergeAll(contents.services, own), top: contents.top };
  }

  async #document(file: string): Promise<Raw | null> {
    this.seen.add(file);
    const text = await this.#reader.read(file);
    try {
      const parsed = parseDocument(text ?? '', { merge: true });
      const document: unknown = parsed.toJS({ maxAliasCount: 200 });
      if (parsed.errors.length > 0 || !isMap(document)) throw new Error('not a map');
      if (/!(reset|override)\b/.test(text ?? ''))
        this.notes.push(`${file}: \`!reset\` and \`!override\` are not understood: look at what they stand before`);
      return document;
    } catch {
      this.notes.push(
        text === null ? `${file} is not inside this folder, so it is not read` : `${file} cannot be read`,
      );
      return null;
    }
  }

  async #include(contents: Contents, entry: unknown, base: string): Promise<Contents> {
    const paths = listOf(isMap(entry) ? entry['path'] : entry).flatMap((each) => scalarText(each) ?? []);
    const folder = isMap(entry) ? scalarText(entry['project_directory']) : null;
    if (isMap(entry) && entry['env_file'] !== undefined)
      this.notes.push(`include: the \`env_file\` of ${paths.join(', ')} is not carried over: move its lines to .env`);
    let { services, top } = contents;
    for (const path of paths) {
      const file = posix.normalize(posix.join(base, resolved(path, this.#known)));
      const around = folder === null ? posix.dirname(file) : posix.normalize(posix.join(base, folder));
      const found = this.seen.has(file) ? null : await this.read(file, around);
      if (found === null) continue;
      services = mergeAll(services, found.services);
      top = { ...found.top, ...top };
    }
    return { services, top };
  }

  /** With what it extends put under it. Paths in another file are seen from that file's folder. */
  async #extended(raw: Raw, file: string, name: string, siblings: Raw, chain: readonly string[]): Promise<Raw> {
    const { extends: written, ...own } = raw;
    if (written === undefined || written === null) return raw;
    const service = scalarText(isMap(written) ? written['service'] : written) ?? '';
    const other = isMap(written) ? scalarText(written['file']) : null;
    const from = other === null ? file : posix.normalize(posix.join(posix.dirname(file), resolved(other, this.#known)));
    const link = `${from}#${service}`;
    const document = from === file ? { services: siblings } : await this.#document(from);
    const services = isMap(document?.['services']) ? document['services'] : {};
    const parent = services[service];
    if (!isMap(parent) || chain.includes(link)) {
      this.notes.push(`${file}: \`${name}\` extends \`${service}\`, which is not to be found`);
      return own;
    }
    const base = rebase(parent, posix.dirname(from));
    return mergeService(await this.#extended(base, from, service, services, [...chain, link]), own);
  }
}

function mergeAll(base: ReadonlyMap<string, Raw>, over: ReadonlyMap<string, Raw>): Map<string, Raw> {
  const merged = new Map(base);
  for (const [name, raw] of over) {
    const under = merged.get(name);
    merged.set(name, under === undefined ? raw : mergeService(under, raw));
  }
  return merged;
}

/** Paths of a file in another folder, as seen from the root. */
function rebase(raw: Raw, folder: string): Raw {
  if (folder === '.' || folder === '') return raw;
  const path = (written: unknown): string => posix.normalize(posix.join(folder, scalarText(written) ?? '.'));
  const changed: Record<string, unknown> = { ...raw };
  if (raw['build'] !== undefined) {
    const build = asBuild(raw['build']);
    changed['build'] = { ...build, context: path(build['context'] ?? '.') };
  }
  if (raw['env_file'] !== undefined)
    changed['env_file'] = listOf(raw['env_file']).map((each) =>
      isMap(each) ? { ...each, path: path(each['path']) } : path(each),
    );
  if (Array.isArray(raw['volumes']))
    changed['volumes'] = raw['volumes'].map((each: unknown) =>
      typeof each === 'string' && /^\.{1,2}\//.test(each) ? `./${path(each)}` : each,
    );
  return changed;
}

async function firstOf(reader: FolderReader, names: readonly string[]): Promise<string | null> {
  for (const name of names) if ((await reader.read(name)) !== null) return name;
  return null;
}
