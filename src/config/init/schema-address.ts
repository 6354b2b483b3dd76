import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isFile } from '../find-file.ts';

const FILE = 'evenkeel.schema.json';

/**
 * Where an editor finds the JSON Schema, seen from `root`: the package that the project has installed, else the
 * evenkeel that is running when it lies near. Null when neither would mean anything on another machine.
 */
export async function schemaAddress(root: string): Promise<string | null> {
  const installed = join('node_modules', 'evenkeel', 'schema', FILE);
  if (await isFile(join(root, installed))) return `./${installed.split(sep).join('/')}`;
  const running = fileURLToPath(new URL(`../../../schema/${FILE}`, import.meta.url));
  const way = relative(resolve(root), running).split(sep).join('/');
  const isNear = way.split('/').filter((part) => part === '..').length <= 2;
  return isNear && !/\s/.test(way) && (await isFile(running)) ? (way.startsWith('.') ? way : `./${way}`) : null;
}
