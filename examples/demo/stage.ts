import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
const CHAT = fileURLToPath(new URL('../chat', import.meta.url));

export const ENVIRONMENT = 'demo';

/** Canary, window and drain as in production, in seconds instead of minutes. */
const rollout = (port: number): string => `
  ${ENVIRONMENT}:
    port: ${port}
    bind: 127.0.0.1
    rollout:
      canary: [{ weight: 10, for: 12s }, { weight: 50, for: 5s }]
      analysis: { errorRate: '< 1%', p95: '< 2500ms' }
      onInconclusive: pause
      rollbackWindow: 5m
      drain: 5s
`;

export interface CliRun {
  code: number | null;
  /** The JSON documents that it printed, one for each line. */
  documents: Record<string, unknown>[];
  errors: string;
  /** Wall time of the whole command, start of the process included. */
  ms: number;
}

/** A folder of its own for everything: evenkeel's home, the secrets' key and a copy of the example. */
export class Stage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'evenkeel-demo-')));
  readonly home = join(this.folder, 'home');
  readonly project = join(this.folder, 'chat');
  readonly jwtSecret = crypto.randomUUID();
  readonly port: number;
  readonly #quiet: boolean;
  readonly #running = new Set<ReturnType<typeof spawn>>();

  private constructor(port: number, quiet: boolean) {
    this.port = port;
    this.#quiet = quiet;
    cpSync(CHAT, this.project, { recursive: true, filter: (path) => !/\/(storage|dist|node_modules)$/.test(path) });
    const file = join(this.project, 'evenkeel.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n${rollout(port).trimStart().replace(/^/, '  ')}`);
  }

  static async open(quiet: boolean): Promise<Stage> {
    return new Stage(await freePort(), quiet);
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      EVENKEEL_HOME: this.home,
      EVENKEEL_SECRETS_KEY_FILE: join(this.folder, 'secrets.key'),
      EVENKEEL_ENV: ENVIRONMENT,
      MODEL_DELAY_MS: '60',
      // How long a new instance's slowness is forgiven; half a minute in production.
      EVENKEEL_EDGE_YOUNG_MS: '2000',
    };
  }

  /** Changes the code, as a person would between two deploys. */
  changeRelease(release: { version: string; errorRate: number; extraDelayMs: number }): void {
    writeFileSync(
      join(this.project, 'api/release.js'),
      `export const VERSION = '${release.version}';\nexport const errorRate = ${release.errorRate};\nexport const extraDelayMs = ${release.extraDelayMs};\n`,
    );
  }

  /** Runs a command to its end, without a word on the screen, and reads what it printed as JSON. */
  async json(args: string[], input = ''): Promise<CliRun> {
    const started = performance.now();
    const child = spawn(process.execPath, [CLI, ...args, '--json'], { cwd: this.project, env: this.env });
    this.#running.add(child);
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    const documents = out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { code, documents, errors, ms: performance.now() - started };
  }

  /** Runs a command as a person sees it; silent with --json. Answers its exit code and wall time. */
  async show(args: string[]): Promise<{ code: number | null; ms: number }> {
    if (this.#quiet) return this.json(args);
    const started = performance.now();
    const child = spawn(process.execPath, [CLI, ...args], { cwd: this.project, env: this.env, stdio: 'inherit' });
    this.#running.add(child);
    const [code] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    return { code, ms: performance.now() - started };
  }

  /** Everything of the stage ends and goes: commands, instances, evenkeel itself, the folder. */
  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.json(['server', 'stop', '--instances', '--yes']);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
