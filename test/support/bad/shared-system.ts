import { afterAll, expect } from 'vitest';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { type CliResult, openHome, type System } from '../evenkeel-home.ts';
import { tempDir } from '../temp.ts';

/** One evenkeel for all tests of a file: called at its top, stopped after the last of them. */
export function sharedSystem(): System {
  const system = openHome(tempDir('home'));
  afterAll(() => system.stop(), 90_000);
  return system;
}

/** What a failed assertion should show of a command. */
export const told = ({ code, stdout, stderr }: CliResult): string => `exit ${code}\n${stdout}\n${stderr}`;

/** `evenkeel up` in a project's folder, which must go well. */
export async function up(system: System, { root }: { root: string }, ...args: string[]): Promise<void> {
  const result = await system.cli(['up', ...args], { cwd: root });
  expect(result.code, told(result)).toBe(0);
}

/** The rollout that was asked for last; throws when there was none yet. */
export async function newestRollout(
  system: System,
  project: string,
  environment = 'development',
): Promise<RolloutView> {
  const of = `project=${project}&environment=${environment}`;
  const { rollouts } = await system.get<{ rollouts: RolloutView[] }>(`/api/v1/rollouts?${of}&limit=1`);
  if (rollouts[0] === undefined) throw new Error(`${project} has no rollout in ${environment} yet`);
  return rollouts[0];
}

export interface ErrorDocument {
  code: string;
  what: string;
  where: string | null;
  why: string | null;
  next: string | null;
  exit: number;
}

/** The error that a command with `--json` ended with. */
export function errorOf(result: CliResult): ErrorDocument {
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  const document = JSON.parse(line) as { error?: ErrorDocument };
  if (document.error === undefined) throw new Error(`no error in ${told(result)}`);
  return document.error;
}
