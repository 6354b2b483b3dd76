import { watch, type FSWatcher, type Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isIgnored, readRules, type IgnoreRules } from '../../drivers/build/ignore-rules.ts';
import { isEditorsOwn } from './plan.ts';

export interface WatchOptions {
  /** Relative folders to leave out: what services write. `.git`, `node_modules` and what `.gitignore` names are anyway. */
  leaveOut: readonly string[];
  /** Relative paths, some time after the last change. */
  onChange(paths: string[]): void;
  /** Not everything can be watched, and why. Said once. */
  onProblem(why: string): void;
}

/** So long must it be quiet, ms: one save, or one checkout, is many changes. */
const QUIET_MS = 120;
/** A change that keeps coming is told after this, ms. */
const LONGEST_MS = 2_000;
const MAX_FOLDERS = 20_000;

/** Watches what belongs to a project's sources. Resolves when it does. */
export async function watchSources(root: string, options: WatchOptions): Promise<{ close(): void }> {
  const watching = new SourceWatch(root, options);
  await watching.enter('');
  return watching;
}

/**
 * One watcher for each folder: Node's own recursive one takes every file of node_modules, too, and reads it all at once.
 */
class SourceWatch {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #leaveOut: ReadonlySet<string>;
  readonly #folders = new Map<string, FSWatcher>();
  readonly #rules = new Map<string, IgnoreRules>();
  readonly #known = new Map<string, string>();
  readonly #since = Date.now();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #firstAt = 0;
  #told = false;
  #closed = false;

  constructor(root: string, options: WatchOptions) {
    this.#root = root;
    this.#options = options;
    this.#leaveOut = new Set(options.leaveOut);
  }

  async enter(folder: string): Promise<void> {
    if (this.#closed || this.#folders.has(folder)) return;
    if (this.#folders.size >= MAX_FOLDERS) return this.#problem(`there are more than ${MAX_FOLDERS} folders`);
    try {
      const watcher = watch(join(this.#root, folder), { persistent: false }, (type, name) => {
        if (name !== null) void this.#look(folder === '' ? name : `${folder}/${name}`, type === 'rename');
      });
      watcher.on('error', () => this.#leave(folder));
      this.#folders.set(folder, watcher);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'ENOSPC' || code === 'EMFILE')
        this.#problem(`the system's limit of watched folders is reached (${code}); see fs.inotify.max_user_watches`);
      return;
    }
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.name === '.gitignore' && entry.isFile())) await this.#readRules(folder);
    const below = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => (folder === '' ? name : `${folder}/${name}`));
    await Promise.all(below.filter((path) => !this.#isLeftOut(path, true)).map((path) => this.enter(path)));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  async #look(path: string, renamed: boolean): Promise<void> {
    const info = await lstat(join(this.#root, path)).catch(() => null);
    if (this.#closed) return;
    const isFolder = info?.isDirectory() ?? this.#folders.has(path);
    if (basename(path) === '.gitignore') await this.#readRules(parentOf(path));
    if (this.#isLeftOut(path, isFolder)) return;
    if (isFolder) {
      // Of a folder that stays only the mode or the time changed.
      if (info !== null && this.#folders.has(path)) return;
      if (info === null) this.#leave(path);
      else await this.enter(path);
    } else if (!this.#isNews(path, info, renamed)) return;
    this.#note(path);
  }

  /** Not of a file that merely got another name beside its own, or another mode, as builds and backups do. */
  #isNews(path: string, info: Stats | null, renamed: boolean): boolean {
    if (info === null) {
      this.#known.delete(path);
      return true;
    }
    const mark = `${info.mtimeMs} ${info.size} ${info.ino}`;
    const former = this.#known.get(path);
    this.#known.set(path, mark);
    if (former !== undefined) return former !== mark;
    return renamed || info.mtimeMs >= this.#since - 1_000;
  }

  #note(path: string): void {
    const now = Date.now();
    if (this.#changed.size === 0) this.#firstAt = now;
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        const paths = [...this.#changed];
        this.#changed = new Set();
        this.#options.onChange(paths);
      },
      Math.max(0, Math.min(QUIET_MS, this.#firstAt + LONGEST_MS - now)),
    );
  }

  #leave(folder: string): void {
    for (const [path, watcher] of this.#folders) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      this.#folders.delete(path);
    }
  }

  async #readRules(folder: string): Promise<void> {
    const rules = await readRules(this.#root, folder);
    if (rules === null) this.#rules.delete(folder);
    else this.#rules.set(folder, rules);
  }

  #isLeftOut(path: string, isFolder: boolean): boolean {
    const name = basename(path);
    // In no repository, and yet read by programs when they start.
    if (!isFolder && name.startsWith('.env')) return isEditorsOwn(name);
    if (name === '.git' || name === 'node_modules' || isEditorsOwn(name) || this.#leaveOut.has(path)) return true;
    const around: IgnoreRules[] = [];
    for (let folder = parentOf(path); ; folder = parentOf(folder)) {
      const rules = this.#rules.get(folder);
      if (rules !== undefined) around.unshift(rules);
      if (folder === '') break;
    }
    return isIgnored(path, isFolder, around);
  }

  #problem(why: string): void {
    if (!this.#told) this.#options.onProblem(why);
    this.#told = true;
  }
}

const parentOf = (path: string): string => (path.includes('/') ? dirname(path) : '');
