import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from '../chat-system.ts';
import type { Started } from '../chat-system.ts';
import { tempDir } from '../temp.ts';
import { waitFor } from '../wait.ts';

export const DIGITWIN = fileURLToPath(new URL('../../../examples/digitwin', import.meta.url));
export const SERVICES = ['api-gateway', 'websocket-server', 'face-processing-service'] as const;

/** A copy of `examples/digitwin`, without what is made in it. */
export function copyDigitwin(): string {
  const folder = join(tempDir('digitwin'), 'digitwin');
  cpSync(DIGITWIN, folder, { recursive: true, filter: (path) => !/\/(node_modules|generated)$/.test(path) });
  return folder;
}

/** What an install of the workspace comes to: a link for each package. */
export async function installDigitwin(folder: string): Promise<void> {
  mkdirSync(join(folder, 'node_modules/@digitwin'), { recursive: true });
  for (const name of readdirSync(join(folder, 'packages')))
    symlinkSync(join(folder, 'packages', name), join(folder, 'node_modules/@digitwin', name));
  const { ended, output } = prisma(folder, 'generate');
  if ((await ended) !== 0) throw new Error(output());
}

const PRISMA = 'packages/database/bin/prisma.js';

/** The stand-in for Prisma's command. */
export const prisma = (folder: string, ...args: string[]) => launch(folder, PRISMA, {}, args);

/** Starts a service of the copy on a free port; it ends with the test. */
export async function startDigitwin(
  folder: string,
  service: (typeof SERVICES)[number],
  env: Record<string, string> = {},
): Promise<Started> {
  const started = launch(folder, `services/${service}/src/main.js`, { HOST: '127.0.0.1', ...env });
  const port = await waitFor(() => / listens on (\d+)/.exec(started.output()), { what: `${service} to listen` });
  return { ...started, url: `http://127.0.0.1:${port[1]}` };
}

export const manifestOf = (folder: string): { name: string; dependencies?: Record<string, string> } =>
  JSON.parse(readFileSync(join(DIGITWIN, folder, 'package.json'), 'utf8')) as never;
