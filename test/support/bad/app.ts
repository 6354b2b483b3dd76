import { projectFolder, writeFiles } from '../system.ts';
import { freePort } from '../free-port.ts';

/**
 * A small HTTP server, as text. `extra` runs before it listens and may replace `answer` and `health`, each
 * `(request, response) => void`.
 */
export function app(version: string, extra = ''): string {
  return `
const { createServer } = require('node:http');
let answer = (request, response) => response.end('${version}');
let health = (request, response) => response.end('well');
let onTerm = () => server.close(() => process.exit(0));
${extra}
const server = createServer((request, response) => {
  response.setHeader('x-app-version', '${version}');
  (request.url === '/health' ? health : answer)(request, response);
}).listen(process.env.PORT, process.env.HOST);
process.on('SIGTERM', () => onTerm());
`;
}

export interface FolderOptions {
  name?: string;
  /** Lines of the service `api`, such as `migrate: node migrate.js`. */
  service?: string[];
  /** More of `rollout`, such as `canary: [{ weight: 50, for: 5m }]`. */
  rollout?: string[];
  /** More of the environment, such as `approve: { people: 1 }`. */
  environment?: string[];
  /** More services, each indented by two. */
  services?: string;
  window?: string;
  files?: Record<string, string>;
}

export interface Folder {
  root: string;
  port: number;
  project: string;
  /** Writes another program, to be deployed next. */
  program(text: string): void;
  /** Writes another `evenkeel.yaml`. */
  configure(options: FolderOptions): void;
  write(files: Record<string, string>): void;
}

/** A project of one service `api` on a public port of its own, in a folder of its own. */
export async function folder(options: FolderOptions = {}): Promise<Folder> {
  const port = await freePort();
  const project = options.name ?? 'shop';
  const root = projectFolder({
    'evenkeel.yaml': file(port, project, options),
    'main.js': app('v1'),
    ...options.files,
  });
  return {
    root,
    port,
    project,
    program: (text) => writeFiles(root, { 'main.js': text }),
    configure: (next) => writeFiles(root, { 'evenkeel.yaml': file(port, project, next) }),
    write: (files) => writeFiles(root, files),
  };
}

function file(port: number, project: string, options: FolderOptions): string {
  const indented = (lines: string[] | undefined, by: string): string =>
    (lines ?? []).map((line) => `${by}${line}\n`).join('');
  const service = options.service ?? [];
  const health = service.some((line) => line.startsWith('health:'))
    ? ''
    : '    health: { path: /health, interval: 100ms }\n';
  return `project: ${project}
port: ${port}
services:
  api:
    run: node main.js
    routes: [/]
${health}${indented(service, '    ')}${options.services ?? ''}environments:
  development:
${indented(options.environment, '    ')}    rollout:
      rollbackWindow: ${options.window ?? '5m'}
      drain: 1s
${indented(options.rollout, '      ')}`;
}
