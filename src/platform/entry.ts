import { flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { EvenkeelPaths } from './paths.ts';

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

/**
 * Node options of each program. The keeper and the controller are mostly idle and shall be small: `--optimize-for-size`
 * makes V8 collect earlier and give back what it no longer needs, since a start leaves more garbage than they ever hold
 * later. The edge makes much short-lived garbage under load: a larger nursery keeps its collections rare, and optimizing
 * for size would cost it requests.
 */
export const NODE_OPTIONS: Record<Entry, readonly string[]> = {
  keeper: ['--optimize-for-size', '--max-old-space-size=32', '--max-semi-space-size=1'],
  controller: ['--optimize-for-size', '--max-semi-space-size=4'],
  edge: ['--max-semi-space-size=16'],
};

/**
 * What the C library is told, unless whoever starts us says otherwise. It would give each of a process's ten threads a
 * heap of its own, and what one leaves free in its own no other can use. Instances and jobs have environments of their
 * own and never see it.
 */
export const ALLOCATOR_ENV: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };

/**
 * Where Node keeps compiled code (NODE_COMPILE_CACHE). In a clone it belongs to the clone, not to one home: stripping the
 * types of everything takes each process 28 MB and a third of a second, and so only the very first one pays for it.
 */
function codeCacheFolder(paths: Pick<EvenkeelPaths, 'cache'>): string {
  const inClone = import.meta.url.endsWith('.ts');
  return inClone ? fileURLToPath(new URL('../../node_modules/.cache/evenkeel', import.meta.url)) : paths.cache;
}

/** The environment of our processes: they work in `/`, so whatever names a place does so absolutely. */
export function processEnv(env: NodeJS.ProcessEnv, paths: EvenkeelPaths): NodeJS.ProcessEnv {
  return {
    ...ALLOCATOR_ENV,
    ...env,
    EVENKEEL_HOME: paths.home,
    EVENKEEL_SECRETS_KEY_FILE: paths.secretsKey,
    EVENKEEL_SIGN_IN: paths.signIn,
    NODE_COMPILE_CACHE: codeCacheFolder(paths),
  };
}

/**
 * Writes the compiled code of this process to the cache a moment from now. Node does so only at an orderly exit, which a
 * long-lived process may never have; call it when the start is over.
 */
export function saveCodeCacheSoon(): void {
  setTimeout(flushCompileCache, 2_000).unref();
}
