import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

/** Long enough for the example; nothing secret. */
export const CHAT_SECRET = 'a-secret-for-tests-only';

export interface Started {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything written so far to stdout and stderr. */
  output(): string;
  /** Resolves when it has ended: its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** A copy of `examples/chat` to run, and to change. */
export function copyChat(): string {
  const folder = join(tempDir('chat'), 'chat');
  cpSync(fileURLToPath(new URL('../../examples/chat', import.meta.url)), folder, {
    recursive: true,
    filter: (path) => !/\/(storage|dist)$/.test(path),
  });
  return folder;
}

/** Runs a script of the copy to its end. */
export async function runChat(folder: string, script: string): Promise<{ code: number | null; output: string }> {
  const { ended, output } = launch(folder, script, {});
  return { code: await ended, output: output() };
}

/** Starts a part of the copy on a free port; it ends with the test. */
export async function startChat(folder: string, script: string, env: Record<string, string> = {}): Promise<Started> {
  const started = launch(folder, script, env);
  const address = await waitFor(() => / listening on (http:\S+)/.exec(started.output()), {
    what: `${script} to listen`,
  });
  return { ...started, url: address[1] ?? '' };
}

export function launch(
  folder: string,
  script: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): Omit<Started, 'url'> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: '0', JWT_SECRET: CHAT_SECRET, MODEL_DELAY_MS: '5', ...env },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, output: () => output };
}
