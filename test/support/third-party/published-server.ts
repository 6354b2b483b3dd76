import { execFile } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JournalView, RolloutView } from '../../../src/api/contract/rollouts.ts';
import type { CliResult } from '../evenkeel-home.ts';
import { openSystem, projectFolder, type System } from '../system.ts';

const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url));
const REGISTRY_TIMEOUT_MS = 60_000;

/** Installed as its lockfile says, from npm's cache where that has it. */
export const INSTALL = 'npm ci --no-audit --no-fund --prefer-offline --loglevel=error';

/** The environment of such a server: as long in its canary as its users need to show what is wrong. */
export const CAREFULLY = `environments:
  development:
    bind: 127.0.0.1
    rollout:
      canary: [{ weight: 10, for: 20s }, { weight: 50, for: 5s }]
      analysis: { errorRate: "< 1%", p95: "< 5s" }
      onInconclusive: pause
      rollbackWindow: 10m
      drain: 3s
`;

/** What a command that rolls something out, or back, came to. */
export interface Shipped {
  readonly id: string;
  readonly message: string;
  /** Wall time of the whole command. */
  readonly ms: number;
}

/** A project whose service is a server that somebody else wrote, as the npm registry has it. */
export class PublishedServer {
  readonly system: System;
  readonly root: string;

  private constructor(files: Record<string, string>) {
    this.system = openSystem();
    // The servers ask for the Node that this test runs on; a host's own may be older.
    this.system.env['PATH'] = [dirname(process.execPath), process.env['PATH']].join(delimiter);
    this.root = projectFolder(files);
  }

  /** @param lock folder of the fixtures with the package.json and the lockfile to begin with */
  static async create(lock: string, files: Record<string, string>): Promise<PublishedServer> {
    const server = new PublishedServer(files);
    server.upgradeTo(lock);
    await server.#requireRegistry(lock);
    return server;
  }

  /** Changes package.json and the lockfile, as `npm install NAME@VERSION` would. */
  upgradeTo(lock: string): void {
    for (const file of readdirSync(join(FIXTURES, lock))) cpSync(join(FIXTURES, lock, file), join(this.root, file));
  }

  /** Runs `evenkeel ARGS --json` to its end and reads the last line. Throws when the exit code is not 0. */
  async run(...args: string[]): Promise<Shipped> {
    const result = await this.system.cli([...args, '--json'], { cwd: this.root });
    const last = result.stdout.trim().split('\n').at(-1) ?? '';
    if (result.code !== 0) throw new Error(`evenkeel ${args.join(' ')}: exit code ${result.code}\n${told(result)}`);
    const { rollout, message } = JSON.parse(last) as { rollout: string; message: string };
    return { id: rollout, message, ms: Math.round(result.ms) };
  }

  /** What the journal kept when a rollout got all traffic. */
  async promotion(id: string): Promise<{ switchMs: number; canaryRequests: number; baselineRequests: number }> {
    const { entries } = await this.system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${id}/story`);
    const rollout = await this.system.get<RolloutView>(`/api/v1/rollouts/${id}`);
    const switchMs = entries.findLast(({ to }) => to === 'watching')?.detail['switchMs'];
    const judged = entries
      .map(({ detail }) => Object.values((detail['verdicts'] ?? {}) as Record<string, Judged>)[0])
      .findLast((each) => each !== undefined);
    return {
      switchMs: typeof switchMs === 'number' ? switchMs : Number.NaN,
      canaryRequests: judged?.canaryRequests ?? rollout.services[0]?.verdict?.canaryRequests ?? 0,
      baselineRequests: judged?.baselineRequests ?? rollout.services[0]?.verdict?.baselineRequests ?? 0,
    };
  }

  /** The weights through which a rollout went, in order, as its journal tells. */
  async weights(id: string): Promise<number[]> {
    const { entries } = await this.system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${id}/story`);
    return entries.flatMap(({ detail }) => (typeof detail['weight'] === 'number' ? [detail['weight']] : []));
  }

  async #requireRegistry(lock: string): Promise<void> {
    const wanted = lock.replace(/-(\d)/, '@$1');
    const { env } = this.system;
    try {
      await promisify(execFile)('npm', ['view', wanted, 'version'], {
        cwd: this.root,
        env,
        timeout: REGISTRY_TIMEOUT_MS,
      });
    } catch (error) {
      throw new Error(
        `This test installs ${wanted} from the npm registry, which cannot be reached with this machine's npm configuration: ${String(error)}`,
        { cause: error },
      );
    }
  }
}

interface Judged {
  readonly canaryRequests?: number;
  readonly baselineRequests?: number;
}

const told = ({ stdout, stderr }: CliResult): string => `${stdout.slice(-2000)}\n${stderr.slice(-2000)}`;
