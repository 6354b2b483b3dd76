import { parse } from 'yaml';
import { z } from 'zod';

import { draftService, emptyFindings, escapeCommand } from './draft.ts';
import type { DraftService, Findings } from './draft.ts';
import type { FolderReader } from './folder-reader.ts';

const names = z.record(z.string(), z.unknown()).catch({});
const manifest = z.object({
  name: z.string().optional().catch(undefined),
  scripts: z.record(z.string(), z.string()).catch({}),
  dependencies: names,
  devDependencies: names,
  workspaces: z
    .union([z.array(z.string()), z.object({ packages: z.array(z.string()) }).transform(({ packages }) => packages)])
    .optional()
    .catch(undefined),
});
export type Manifest = z.output<typeof manifest>;

/** How packages are installed and their scripts run. */
export interface PackageTool {
  install: string;
  run: (script: string) => string;
}

const MIGRATIONS = ['migrate', 'db:migrate', 'migrate:deploy', 'migrate:latest', 'migrations:run', 'migration:run'];
/** Tools whose `build` writes a folder that is served as it is. */
const STATIC_BUILDERS: Record<string, string> = {
  vite: 'dist',
  'react-scripts': 'build',
  astro: 'dist',
  parcel: 'dist',
  '@11ty/eleventy': '_site',
  '@angular/cli': 'dist',
  gatsby: 'public',
};

export async function readManifest(reader: FolderReader, dir: string): Promise<Manifest | null> {
  const text = await reader.read(join(dir, 'package.json'));
  if (text === null) return null;
  try {
    return manifest.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export async function packageTool(reader: FolderReader): Promise<PackageTool> {
  const has = async (file: string): Promise<boolean> => (await reader.read(file)) !== null;
  if (await has('pnpm-lock.yaml'))
    return { install: 'pnpm install --frozen-lockfile', run: (name) => `pnpm run ${name}` };
  if (await has('yarn.lock')) return { install: 'yarn install --frozen-lockfile', run: (name) => `yarn run ${name}` };
  if (await has('bun.lock')) return { install: 'bun install --frozen-lockfile', run: (name) => `bun run ${name}` };
  const install = (await has('package-lock.json')) ? 'npm ci' : 'npm install';
  return { install, run: (name) => (name === 'start' ? 'npm start' : `npm run ${name}`) };
}

/** The root package and its workspaces. */
export async function fromPackages(reader: FolderReader): Promise<Findings> {
  const findings = emptyFindings();
  const root = await readManifest(reader, '.');
  const text = await reader.read('package.json');
  if (root === null && text !== null) findings.notes.push('package.json cannot be read as JSON');
  const tool = await packageTool(reader);
  const workspaces = await workspaceFolders(reader, root);
  for (const dir of ['.', ...workspaces]) {
    const found = dir === '.' ? root : await readManifest(reader, dir);
    if (found === null) continue;
    const service = fromManifest(found, dir, tool, reader.name);
    if (service !== null) findings.services.push(service);
    else if (dir !== '.') findings.notes.push(`${dir} has no \`start\` script, so it is taken for a library`);
  }
  return findings;
}

function fromManifest(found: Manifest, dir: string, tool: PackageTool, otherwise: string): DraftService | null {
  const { scripts } = found;
  const name = found.name ?? (dir === '.' ? otherwise : (dir.split('/').at(-1) ?? dir));
  const source = join(dir, 'package.json');
  const build = buildOf(found, tool);
  if (scripts['start'] !== undefined) {
    return draftService(name, source, {
      dir,
      build,
      run: startOf(scripts, tool),
      migrate: migrateOf(found, tool),
      dev: devOf(scripts, tool),
    });
  }
  const all = { ...found.dependencies, ...found.devDependencies };
  const builder = Object.keys(STATIC_BUILDERS).find((tools) => all[tools] !== undefined);
  if (scripts['build'] === undefined || builder === undefined) return null;
  return draftService(name, source, {
    dir,
    build,
    static: STATIC_BUILDERS[builder] ?? 'dist',
    dev: devOf(scripts, tool),
  });
}

/** What makes a clean copy runnable; null when nothing needs to be done. */
export function buildOf({ scripts, dependencies, devDependencies }: Manifest, tool: PackageTool): string | null {
  const needsInstall = Object.keys(dependencies).length + Object.keys(devDependencies).length > 0;
  const steps = [needsInstall ? tool.install : null, scripts['build'] === undefined ? null : tool.run('build')];
  return steps.filter((step) => step !== null).join(' && ') || null;
}

export function migrateOf({ scripts }: Manifest, tool: PackageTool): string | null {
  const script = MIGRATIONS.find((name) => scripts[name] !== undefined);
  return script === undefined ? null : tool.run(script);
}

/** A plain `node ...` is started directly: a package manager in between costs memory and swallows signals. */
function startOf(scripts: Record<string, string>, tool: PackageTool): string {
  const start = scripts['start']?.trim() ?? '';
  const plain = /^node [\w./ =:@-]+$/.test(start) && scripts['prestart'] === undefined;
  return plain ? escapeCommand(start) : tool.run('start');
}

/** Servers for development that do not heed `PORT`, and are told it. */
const TOLD_ITS_PORT = /^(npx )?(vite|astro)( dev| serve)?( |$)/;

/** Null: `run` does as well, started anew on every change. */
function devOf(scripts: Record<string, string>, tool: PackageTool): string | null {
  const script = scripts['dev']?.trim() ?? '';
  if (script === '' || script === scripts['start']?.trim()) return null;
  if (!TOLD_ITS_PORT.test(script) || script.includes('--port') || /[;&|]/.test(script)) return tool.run('dev');
  // Only npm takes what follows for itself.
  return `${tool.run('dev')}${tool.install.startsWith('npm') ? ' --' : ''} --host $HOST --port $PORT`;
}

async function workspaceFolders(reader: FolderReader, root: Manifest | null): Promise<string[]> {
  const patterns = [...(root?.workspaces ?? []), ...(await pnpmPatterns(reader))];
  const folders = new Set<string>();
  for (const pattern of patterns.filter((one) => !one.startsWith('!'))) {
    for (const dir of await expand(reader, pattern)) folders.add(dir);
  }
  const excluded = patterns.filter((one) => one.startsWith('!')).map((one) => one.slice(1));
  for (const pattern of excluded) for (const dir of await expand(reader, pattern)) folders.delete(dir);
  return [...folders].toSorted();
}

async function pnpmPatterns(reader: FolderReader): Promise<string[]> {
  const text = await reader.read('pnpm-workspace.yaml');
  if (text === null) return [];
  try {
    return z.object({ packages: z.array(z.string()) }).parse(parse(text, { logLevel: 'silent' })).packages;
  } catch {
    return [];
  }
}

/** `apps/*`, `packages/**`, `tools/a`: folders only, `node_modules` never. */
async function expand(reader: FolderReader, pattern: string): Promise<string[]> {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return [];
  let found = ['.'];
  for (const part of parts) {
    const next: string[] = [];
    for (const dir of found) {
      if (part === '**') next.push(...(await below(reader, dir, 4)));
      else if (part.includes('*')) next.push(...(await matching(reader, dir, part)));
      else if (await reader.isFolder(join(dir, part))) next.push(join(dir, part));
    }
    found = next;
  }
  return found.filter((dir) => dir !== '.');
}

async function matching(reader: FolderReader, dir: string, part: string): Promise<string[]> {
  const wanted = new RegExp(`^${part.split(/\*+/).map(escapeRegExp).join('[^/]*')}$`);
  return (await subfolders(reader, dir)).filter((name) => wanted.test(name)).map((name) => join(dir, name));
}

async function below(reader: FolderReader, dir: string, depth: number): Promise<string[]> {
  if (depth === 0) return [dir];
  const inner = (await subfolders(reader, dir)).map((name) => below(reader, join(dir, name), depth - 1));
  return [dir, ...(await Promise.all(inner)).flat()];
}

async function subfolders(reader: FolderReader, dir: string): Promise<string[]> {
  return (await reader.folders(dir)).filter((name) => name !== 'node_modules' && !name.startsWith('.'));
}

function join(dir: string, name: string): string {
  return dir === '.' ? name : `${dir}/${name}`;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
