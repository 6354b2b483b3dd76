import { runCommand, type CommandResult } from '../../platform/process/spawn.ts';
import { isCode } from './failure.ts';

/**
 * Settings that a repository must not decide for us: none of its programs run, and it may belong to another user (its
 * files are about to be built and run anyway).
 */
const SAFELY = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.untrackedCache=false', 'safe.directory=*'];

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 512 * 1024 * 1024;

/** Its output, or null when git is not there, has another opinion, or takes too long. */
export async function git(folder: string, args: readonly string[]): Promise<string | null> {
  const result = await run(folder, args);
  return result !== null && result.code === 0 ? result.stdout : null;
}

/** Whether git looks after this folder: it lies in a work tree that does not ignore it. */
export async function isInRepository(folder: string): Promise<boolean> {
  if ((await git(folder, ['rev-parse', '--is-inside-work-tree']))?.trim() !== 'true') return false;
  // A folder that a repository further up ignores would seem empty, and its commit says nothing about it.
  const top = (await git(folder, ['rev-parse', '--show-cdup']))?.trim();
  return top === '' || (await run(folder, ['check-ignore', '-q', '.']))?.code !== 0;
}

async function run(folder: string, args: readonly string[]): Promise<CommandResult | null> {
  const settings = SAFELY.flatMap((setting) => ['-c', setting]);
  try {
    const result = await runCommand(['git', ...settings, ...args], {
      cwd: folder,
      env: environment(),
      timeout: TIMEOUT_MS,
      maxOutput: MAX_OUTPUT,
    });
    return result.timedOut ? null : result;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Without GIT_DIR and its like, which would point it elsewhere. */
function environment(): Record<string, string> {
  const env: Record<string, string> = { LANG: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
  for (const name of ['PATH', 'HOME', 'XDG_CONFIG_HOME']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
