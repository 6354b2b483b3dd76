import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Package, Workspace } from '../../../domain/cloud/dockerfile/workspace.ts';

const names = z.record(z.string(), z.string()).catch({});
const manifest = z.object({
  name: z.string().optional().catch(undefined),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  devDependencies: names,
  scripts: names,
  workspaces: z
    .union([z.array(z.string()), z.object({ packages: z.array(z.string()) }).transform(({ packages }) => packages)])
    .catch([]),
});
const pnpm = z.object({ packages: z.array(z.string()).catch([]) }).catch({ packages: [] });

/** The packages of a project, as npm, pnpm and yarn find them. `root`: absolute. What cannot be read is not there. */
export async function readWorkspace(root: string): Promise<Workspace> {
  const own = await readPackage(root, '.');
  const patterns = [...(own?.workspaces ?? []), ...(await pnpmPatterns(root))];
  const folders = await foldersOf(root, patterns);
  const packages = await Promise.all(folders.map((dir) => readPackage(root, dir)));
  return {
    root: own?.package ?? null,
    packages: packages.flatMap((each) => (each === null ? [] : [each.package])),
  };
}

/** One package, of a workspace or not; null when there is no `package.json` that can be read. */
export async function readPackage(
  root: string,
  dir: string,
): Promise<{ package: Package; workspaces: string[] } | null> {
  const text = await readFile(join(root, dir, 'package.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const read = manifest.safeParse(jsonOf(text));
  if (!read.success) return null;
  const { name, dependencies, optionalDependencies, peerDependencies, devDependencies, scripts, workspaces } =
    read.data;
  const needs = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return {
    package: { name: name ?? dir, dir, dependencies: needs, devDependencies: Object.keys(devDependencies), scripts },
    workspaces,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function pnpmPatterns(root: string): Promise<string[]> {
  const text = await readFile(join(root, 'pnpm-workspace.yaml'), 'utf8').catch(() => null);
  if (text === null) return [];
  try {
    return pnpm.parse(parse(text)).packages;
  } catch {
    return [];
  }
}

/** Folders with a `package.json` that the patterns name, sorted; `!` takes away. */
async function foldersOf(root: string, patterns: readonly string[]): Promise<string[]> {
  const clean = (pattern: string): string =>
    `${pattern
      .replace(/^!/, '')
      .replace(/^\.?\//, '')
      .replace(/\/$/, '')}/package.json`;
  const found = async (wanted: readonly string[]): Promise<string[]> => {
    const files: string[] = [];
    const exclude = (path: string): boolean => path === 'node_modules' || path.endsWith('/node_modules');
    if (wanted.length === 0) return files;
    for await (const file of glob(wanted.map(clean), { cwd: root, exclude })) files.push(dirname(file));
    return files;
  };
  const wanted = await found(patterns.filter((each) => !each.startsWith('!')));
  const unwanted = new Set(await found(patterns.filter((each) => each.startsWith('!'))));
  return [...new Set(wanted)]
    .filter((dir) => dir !== '.' && !unwanted.has(dir) && !dir.includes('node_modules'))
    .toSorted();
}
