import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../ports/errors.ts';
import type { Exit } from './child.ts';
import { readKeeperInfo } from './keeper-info.ts';
import { lockHolder } from './lock.ts';
import { prepareHome, type EvenkeelPaths } from './paths.ts';
import { isAlive } from './process/identity.ts';
import { outputFile, startKeeper } from './start-keeper.ts';
import { unixClient } from './unix-http.ts';

const PAUSE = 25;
const TAIL_LINES = 20;
/** A controller that ended so often without having been ready will not become ready by waiting. */
const HOPELESS = 4;

export interface EnsureKeeperOptions {
  env: NodeJS.ProcessEnv;
  paths: EvenkeelPaths;
  /** Until the API answers, ms; 20 s by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Makes sure that a keeper runs and that the controller's API answers; several callers at once end up with one keeper.
 * Throws `home-unusable`, `keeper-failed` (it ended at once) or `controller-silent` (it fails, or nothing answered in time), the
 * latter two with the last lines of the logs.
 */
export async function ensureKeeper(options: EnsureKeeperOptions): Promise<'started' | 'running'> {
  const { paths, timeoutMs = 20_000, signal } = options;
  prepareHome(paths);
  const deadline = performance.now() + timeoutMs;
  let keeper: { exit: Exit | null } | null = null;
  while (!(await apiAnswers(paths, deadline))) {
    signal?.throwIfAborted();
    if (hasFailed(keeper)) throw await failed(paths, keeper.exit);
    if (performance.now() >= deadline)
      throw await silent(paths, `did not answer within ${Math.round(timeoutMs / 1000)} s`);
    if (await isHopeless(paths)) throw await silent(paths, 'ends again and again as soon as it is started');
    // Also later than at first: the one that ran may have been on its way out.
    if (!isStarting(keeper) && !(await lockHolder(paths.keeperLock)).held) keeper = await start(options);
    await sleep(PAUSE);
  }
  return keeper === null ? 'running' : 'started';
}

async function start(options: EnsureKeeperOptions): Promise<{ exit: Exit | null }> {
  const { exited } = await startKeeper(options);
  const keeper: { exit: Exit | null } = { exit: null };
  void exited.then((exit) => (keeper.exit = exit));
  return keeper;
}

/** Whether any reply came: who asks without a token is refused, and that is an answer. */
async function apiAnswers(paths: EvenkeelPaths, deadline: number): Promise<boolean> {
  const timeoutMs = Math.max(50, Math.min(2_000, deadline - performance.now()));
  const client = unixClient({ socketPath: paths.controllerSocket, peer: 'The controller', timeoutMs });
  try {
    await client.reply({ path: '/' });
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

const isStarting = (keeper: { exit: Exit | null } | null): boolean => keeper !== null && keeper.exit === null;

// Code 0 says that another keeper runs: somebody else was faster.
const hasFailed = (keeper: { exit: Exit | null } | null): keeper is { exit: Exit } =>
  keeper !== null && keeper.exit !== null && keeper.exit.code !== 0;

async function isHopeless(paths: EvenkeelPaths): Promise<boolean> {
  const info = await readKeeperInfo(paths);
  return info !== null && info.controllerFailures >= HOPELESS && isAlive(info.keeper);
}

async function failed(paths: EvenkeelPaths, { code, signal }: Exit): Promise<EvenkeelError> {
  return new EvenkeelError({
    code: 'keeper-failed',
    what: `The keeper ended as soon as it was started (${signal ?? `exit code ${code}`}).`,
    where: paths.home,
    why: await tails([outputFile(paths, 'keeper'), join(paths.logs, 'keeper.log')]),
    next: 'Correct what it says, then try again.',
  });
}

async function silent(paths: EvenkeelPaths, how: string): Promise<EvenkeelError> {
  return new EvenkeelError({
    code: 'controller-silent',
    what: `The controller ${how}.`,
    where: paths.controllerSocket,
    why: await tails([outputFile(paths, 'controller'), join(paths.logs, 'keeper.log')]),
    next: 'Correct what it says, then try again.',
    retryable: true,
    exit: 2,
  });
}

/** The last lines of each of these files that holds something. */
async function tails(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(files.map(async (file) => ({ file, tail: await tail(file) })));
  const told = parts
    .filter(({ tail: text }) => text !== '')
    .map(({ file, tail: text }) => `${file} ends with:\n${text}`);
  return told.length === 0 ? 'its logs are empty' : told.join('\n');
}

async function tail(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, 16_384);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    } finally {
      await handle.close();
    }
  } catch {
    return '';
  }
}
