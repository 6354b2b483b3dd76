import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliDeps } from '../../../src/app/cli-deps.ts';
import { cloudDesk } from '../../../src/app/cloud/desk.ts';
import type { CliDeps, ExitCode } from '../../../src/cli/deps.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import type { Cloud } from '../../../src/ports/cloud.ts';

export interface Said {
  code: ExitCode;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What is typed, or comes through a pipe. */
  input?: string;
  /** Somebody sits there. */
  terminal?: boolean;
  env?: Record<string, string>;
  /** Called once with what a Ctrl-C does. */
  onInterruptible?: (interrupt: () => void) => void;
}

/** The commands in this process, over a cloud of the test's own. */
export function cloudCli(cloud: Cloud, folder: string, file: string) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'evenkeel.yaml'), file);
  return async (args: string[], options: RunOptions = {}): Promise<Said> => {
    let [stdout, stderr] = ['', ''];
    const isTTY = options.terminal ?? false;
    const deps: CliDeps = {
      ...cliDeps('0.0.0'),
      env: { NO_COLOR: '1', TERM: 'dumb', ...options.env },
      cwd: folder,
      stdin: Object.assign(inputOf(options.input ?? ''), { isTTY }),
      stdout: { write: (text) => (stdout += text), isTTY: false },
      stderr: { write: (text) => (stderr += text), isTTY },
      onInterrupt: (callback) => {
        options.onInterruptible?.(callback);
        return () => {};
      },
      openCloud: ({ project }) => {
        const config = project.cloud;
        if (config === undefined) throw new EvenkeelError({ code: 'no-cloud', what: 'no cloud here' });
        const ask = (url: string) => Promise.resolve({ ok: true, asked: `GET ${url}`, answered: '200 OK' });
        const absent = (): never => {
          throw new Error('the cloud in memory cannot do that');
        };
        const rest = { builder: { build: absent }, writeKey: absent };
        return Promise.resolve(cloudDesk({ cloud, project, config, now: () => Date.now(), ask, ...rest }, null));
      },
    };
    const code = await runCli(args, deps);
    return { code, stdout, stderr };
  };
}

async function* inputOf(text: string): AsyncGenerator<string> {
  // In pieces that end nowhere in particular, as a pipe has them.
  for (let at = 0; at < text.length; at += 7) yield await Promise.resolve(text.slice(at, at + 7));
}

export const FILE = `project: chat
cloud: { project: chat-cloud-1, region: europe-west1 }
services:
  api: { run: node api.js, health: /health, routes: [/] }
buckets:
  media: { expire: 7d }
  avatars: {}
databases:
  main: { engine: postgres, version: 15, extensions: [vector] }
secrets: [JWT_SECRET]
environments:
  staging: { runtime: cloud-run }
  production: { runtime: cloud-run }
`;

export interface Line {
  type?: string;
  [key: string]: unknown;
}

/** The last document of `--json`. */
export const documentOf = ({ stdout }: Pick<Said, 'stdout'>): unknown =>
  JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

export const linesOf = ({ stdout }: Pick<Said, 'stdout'>): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
