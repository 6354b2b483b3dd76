import { fileURLToPath } from 'node:url';

/** Programs that evenkeel starts as processes of their own. */
export type Entry = 'keeper' | 'controller' | 'edge';

const FILES: Record<Entry, string> = {
  keeper: 'keeper/main',
  controller: 'app/controller-main',
  edge: 'edge/main',
};

/**
 * The absolute path of an entry file: `src/edge/main.ts` in a clone, where Node strips the types, `dist/edge/main.js` in
 * the package. EVENKEEL_KEEPER_ENTRY and its like replace it (tests put stand-ins there).
 */
export function entryFile(entry: Entry, env: NodeJS.ProcessEnv = {}): string {
  const replaced = env[`EVENKEEL_${entry.toUpperCase()}_ENTRY`];
  return replaced !== undefined && replaced !== '' ? replaced : moduleFile(FILES[entry]);
}

/** The absolute path of a module of evenkeel named relative to its source folder, without extension. */
export function moduleFile(name: string): string {
  // This file has the extension that all of them have, in whichever form the program runs.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return fileURLToPath(new URL(`../${name}${extension}`, import.meta.url));
}
