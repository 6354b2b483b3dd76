import { afterAll } from 'vitest';
import type { CliResult } from '../evenkeel-home.ts';
import { openHome, type System } from '../evenkeel-home.ts';
import { tempDir } from '../temp.ts';

/** One evenkeel for all tests of a file: called at its top, stopped after the last of them. */
export function sharedSystem(): System {
  const system = openHome(tempDir('home'));
  afterAll(() => system.stop(), 90_000);
  return system;
}

/** What a failed assertion should show of a command. */
export const told = ({ code, stdout, stderr }: CliResult): string => `exit ${code}\n${stdout}\n${stderr}`;

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
