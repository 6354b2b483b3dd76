import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Cli, type Ended, startCli } from '../../fixtures/cli/run-cli.ts';
import { tempDir } from '../temp.ts';
import { FILE } from './cli.ts';

/** The commands as processes, over an emulator of their own that lives on between them. */
export interface EmulatedCli {
  /** The project's folder. */
  folder: string;
  env: Record<string, string>;
  /** `evenkeel cloud …` in staging, to its end. */
  run(args: string[], input?: string): Promise<Ended>;
  start(args: string[]): Cli;
  /** Asks the emulator's own endpoint. */
  control<T>(method: string, what: 'calls' | 'faults' | 'state' | 'tables', body?: unknown): Promise<T>;
}

export interface CallReport {
  counts: Record<string, number>;
  violations?: string[];
}

/** @param file what the project is; the usual small one by default. */
export async function emulatedCli(file = FILE): Promise<EmulatedCli> {
  const folder = tempDir('chat');
  writeFileSync(join(folder, 'evenkeel.yaml'), file);
  const home = tempDir('home');
  const env = { EVENKEEL_HOME: home, EVENKEEL_EMULATOR_SPEED: '2000', HOME: home };
  const raw = (args: string[], input?: string): Cli =>
    startCli(args, { cwd: folder, env, ...(input === undefined ? {} : { input }) });
  onTestFinished(async () => void (await raw(['cloud', 'emulator', 'stop']).ended));
  const words = (args: string[]): string[] => ['cloud', '--emulate', ...args, '--env', 'staging'];
  return {
    folder,
    env,
    run: (args, input) => raw(words(args), input).ended,
    start: (args) => raw(words(args)),
    async control<T>(method: string, what: string, body?: unknown): Promise<T> {
      const { url, token } = JSON.parse(readFileSync(join(home, 'emulator', 'emulator.json'), 'utf8')) as {
        url: string;
        token: string;
      };
      const reply = await fetch(`${url}/_emulator/${what}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!reply.ok) throw new Error(`${what}: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as T;
    },
  };
}
