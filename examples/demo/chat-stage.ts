import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliRun, Commands } from './commands.ts';

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

/** A folder of its own for everything: evenkeel's home, the secrets' key and a copy of the example. */
export class Stage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'evenkeel-demo-')));
  readonly home = join(this.folder, 'home');
  readonly project = join(this.folder, 'chat');
  readonly jwtSecret = crypto.randomUUID();
  readonly port: number;
  readonly #commands: Commands;

  private constructor(port: number, quiet: boolean) {
    this.port = port;
    this.#commands = new Commands({ cwd: this.project, env: () => this.env, quiet });
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
  json(args: string[], input = ''): Promise<CliRun> {
    return this.#commands.json(args, { input });
  }

  /** Runs a command as a person sees it; silent with --json. Answers its exit code and wall time. */
  show(args: string[]): Promise<{ code: number | null; ms: number }> {
    return this.#commands.show(args);
  }

  /** Everything of the stage ends and goes: commands, instances, evenkeel itself, the folder. */
  async close(): Promise<void> {
    this.#commands.kill();
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
