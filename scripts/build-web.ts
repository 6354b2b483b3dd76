/**
 * Builds the dashboard into dist/web, unless that is of these very sources already: about ten seconds, once.
 *
 * Fails when what a browser loads first is larger than the budget.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Bytes, by gzip, of everything that the first page needs. */
const FIRST_LOAD_BUDGET = 300_000;

const root = dirname(import.meta.dirname);
const target = join(root, 'dist/web');
/** Names what it was built from. */
const STAMP = '.sources';

/** What goes into it. The lockfile stands for the packages. */
const SOURCES = [
  'web/**/*',
  'src/api/contract/**/*.ts',
  'src/lib/**/*.ts',
  'scripts/build-web.ts',
  'package-lock.json',
];

function sourcesHash(): string {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** Answers whether there was something to do. */
export async function buildWeb(): Promise<boolean> {
  const sources = sourcesHash();
  if (readIfThere(join(target, STAMP)) === sources) return false;
  const started = performance.now();
  console.error('evenkeel: building the dashboard (once, about ten seconds) ...');
  const fresh = `${target}.${randomUUID()}`;
  const { build } = await import('vite');
  try {
    await build({
      configFile: join(root, 'web/vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: fresh, emptyOutDir: true },
    });
    checkFirstLoad(fresh);
    rmSync(join(fresh, 'manifest.json'));
    compress(fresh);
    writeFileSync(join(fresh, STAMP), sources);
    swap(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  console.error(`evenkeel: built in ${Math.round((performance.now() - started) / 1000)} s`);
  return true;
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
  isEntry?: boolean;
}

/** The entry with all that it imports; the page that is shown first is loaded beside it, so the largest one counts, too. */
function checkFirstLoad(folder: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = (name: string, seen: Set<string>): Set<string> => {
    const chunk = manifest[name];
    if (chunk === undefined || seen.has(chunk.file)) return seen;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) seen.add(file);
    for (const other of chunk.imports ?? []) files(other, seen);
    return seen;
  };
  const entries = Object.keys(manifest).filter((name) => manifest[name]?.isEntry === true);
  const first = new Set(entries.flatMap((name) => [...files(name, new Set<string>())]));
  const size = (file: string): number => gzipSync(readFileSync(join(folder, file))).length;
  const sum = (of: Iterable<string>): number => [...of].reduce((total, file) => total + size(file), 0);
  const base = sum(['index.html', ...first]);
  const pages = Object.keys(manifest).filter((name) => name.endsWith('.tsx') && !entries.includes(name));
  const largest = Math.max(
    0,
    ...pages.map((name) => sum([...files(name, new Set(first))].filter((file) => !first.has(file)))),
  );
  const total = base + largest;
  console.error(
    `evenkeel: first load ${(base / 1000).toFixed(0)} kB, with its largest page ${(total / 1000).toFixed(0)} kB`,
  );
  if (total > FIRST_LOAD_BUDGET)
    throw new Error(
      `the first load of the dashboard is ${total} bytes by gzip, more than its budget of ${FIRST_LOAD_BUDGET}`,
    );
}

/** Beside each file that gets smaller by it, once here instead of at every request. */
function compress(folder: string): void {
  for (const name of globSync('**/*.{js,css,svg}', { cwd: folder })) {
    const file = join(folder, name);
    const bytes = readFileSync(file);
    if (bytes.length < 512 || extname(file) === '') continue;
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
  }
}

/** In one step, since a server may be reading it; of two builds at once the later one stays. */
function swap(fresh: string): void {
  const old = `${target}.${randomUUID()}`;
  mkdirSync(dirname(target), { recursive: true });
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
}

if (import.meta.main) await buildWeb();
