import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliRun, Commands, type JsonOptions } from './commands.ts';

const DIGITWIN = fileURLToPath(new URL('../digitwin', import.meta.url));

export const ENVIRONMENT = 'production';
/** Times faster than Google Cloud: a database of five to ten minutes takes three to five seconds. */
const SPEED = 120;

/** Steps as in production, in seconds instead of minutes; more visitors in the first, since there is so little time. */
const CANARY = 'canary: [{ weight: 20, for: 8s }, { weight: 50, for: 4s }]\n      onInconclusive: pause';

/** Of somebody who is signed in to a real cloud: nothing here may reach it. */
const REAL = /^(GOOGLE_|GCLOUD_|CLOUDSDK_|EVENKEEL_CLOUD_|EVENKEEL_DATABASE_URL$)/;

export interface Version {
  name: string;
  /** Every second sign-in fails. */
  broken: boolean;
}

interface Emulator {
  url: string;
  token: string;
}

/** What the emulator counted. */
export interface Calls {
  total: number;
  /** Requests and replies that Google's schemas forbid. */
  violations: string[];
}

/** A folder of its own for everything: evenkeel's and the person's home, the emulated cloud and a copy of the example. */
export class CloudStage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'evenkeel-cloud-demo-')));
  readonly project = join(this.folder, 'digitwin');
  readonly jwtSecret = crypto.randomUUID();
  readonly env: NodeJS.ProcessEnv;
  readonly #commands: Commands;

  constructor(quiet: boolean) {
    cpSync(DIGITWIN, this.project, { recursive: true, filter: (path) => !/\/(node_modules|generated)$/.test(path) });
    change(join(this.project, 'evenkeel.yaml'), /canary: \[.*?\]$/m, CANARY);
    const own = Object.entries(process.env).filter(([name]) => !REAL.test(name));
    this.env = {
      ...Object.fromEntries(own),
      // The key of the example's account goes below it.
      HOME: this.folder,
      EVENKEEL_HOME: join(this.folder, 'home'),
      EVENKEEL_SECRETS_KEY_FILE: join(this.folder, 'secrets.key'),
      EVENKEEL_EMULATOR_SPEED: String(SPEED),
      // Counts for each second, half a second late; on Google Cloud for each minute, and minutes late.
      EVENKEEL_CLOUD_METRICS: '1000/1000',
      // How long a new instance's slowness is forgiven; half a minute in production.
      EVENKEEL_EDGE_YOUNG_MS: '2000',
    };
    this.#commands = new Commands({ cwd: this.project, env: () => this.env, quiet });
  }

  /** Changes the code of the gateway, as a person would between two deploys. */
  changeVersion({ name, broken }: Version): void {
    const source = join(this.project, 'services/api-gateway/src');
    cpSync(join(DIGITWIN, 'services/api-gateway/src'), source, { recursive: true });
    change(join(source, 'version.js'), /'.*'/, `'${name}'`);
    if (broken)
      change(
        join(source, 'main.js'),
        "'POST /api/sign-in': ({ body }) => {\n",
        "$&    if (Math.random() < 0.5) throw new Error('whoever comes twice was forgotten');\n",
      );
  }

  /** `evenkeel cloud --emulate …`, whose results are read. */
  cloud(args: string[], options: JsonOptions = {}): Promise<CliRun> {
    return this.json(['cloud', '--emulate', ...args], options);
  }

  json(args: string[], options: JsonOptions = {}): Promise<CliRun> {
    return this.#commands.json([...args, '--env', ENVIRONMENT], options);
  }

  /** As a person sees it. */
  show(args: string[], leaveOut: RegExp | null = null): Promise<{ code: number | null; ms: number }> {
    return this.#commands.show([...args, '--env', ENVIRONMENT], leaveOut);
  }

  /** Where the emulated Google Cloud listens. */
  get emulator(): Emulator {
    return JSON.parse(readFileSync(join(this.folder, 'home/emulator/emulator.json'), 'utf8')) as Emulator;
  }

  async calls(): Promise<Calls> {
    const { url, token } = this.emulator;
    const headers = { authorization: `Bearer ${token}`, connection: 'close' };
    const reply = await fetch(`${url}/_emulator/calls`, { headers });
    if (!reply.ok) throw new Error(`the emulator answered ${reply.status}`);
    return (await reply.json()) as Calls;
  }

  /** Everything of the stage ends and goes: commands, evenkeel itself, the emulator with its services, the folder. */
  async close(): Promise<void> {
    this.#commands.kill();
    await this.#commands.json(['server', 'stop', '--yes']);
    await this.#commands.json(['cloud', 'emulator', 'stop']);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}

/** Throws when there is nothing to change: the demo would go on with something else than it says. */
function change(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${file} has no ${String(from)}`);
  writeFileSync(file, changed);
}
