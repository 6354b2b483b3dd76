import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalView } from '../../src/api/contract/rollouts.ts';
import type { EdgeStats } from '../../src/domain/traffic/stats.ts';
import { unixClient } from '../../src/platform/unix-http.ts';
import { openHome, pathOf, type System } from './evenkeel-home.ts';
import { FOLDER } from './checkpoints/order.ts';
import { freePort } from './free-port.ts';

const CHAT = fileURLToPath(new URL('../../examples/chat', import.meta.url));
const ENVIRONMENT = 'bench';
export const SCOPE = { project: 'chat', environment: ENVIRONMENT };

export interface ReleaseOptions {
  /** What `x-app-version` will say. */
  version: string;
  /** Share of requests, 0..1, that fail. */
  errorRate?: number;
  /** Weights in percent; none: straight to 100 %. */
  canary?: readonly number[];
  /** How long each of them lasts. */
  step?: string;
  /** Ms. */
  rollbackWindow?: number;
}

/**
 * `examples/chat` on a real evenkeel. Each build, migration and start of a process writes a line into a witness file, so that
 * what was done twice shows.
 */
export class Stage {
  readonly system: System;
  readonly port: number;
  readonly jwtSecret = crypto.randomUUID();
  readonly root: string;
  /** Where orders to die are given, see test/support/checkpoints. */
  readonly checkpoints: string;
  readonly #witness: string;

  private constructor(folder: string, port: number) {
    this.root = join(folder, 'chat');
    this.port = port;
    this.#witness = join(folder, 'witness');
    this.checkpoints = join(folder, 'checkpoints');
    mkdirSync(folder, { recursive: true });
    cpSync(CHAT, this.root, { recursive: true, filter: (path) => !/\/(storage|dist|node_modules)$/.test(path) });
    const line = `"$1 $2 $(sed -n "s/.*VERSION = '\\(.*\\)'.*/\\1/p" api/release.js)"`;
    writeFileSync(join(this.root, 'witness.sh'), `echo ${line} >> ${this.#witness}\n`);
    writeFileSync(this.#witness, '');
    process.env['MODEL_DELAY_MS'] = '5';
    this.system = openHome(folder);
  }

  /** Nothing runs yet. `mortal`: keeper, controller and edge can be told where to die. */
  static async prepare(folder: string, { mortal = false } = {}): Promise<Stage> {
    const stage = new Stage(folder, await freePort());
    if (mortal) stage.#makeMortal();
    stage.change({ version: 'v0' });
    return stage;
  }

  #makeMortal(): void {
    mkdirSync(this.checkpoints);
    const { env } = this.system;
    env[FOLDER] = this.checkpoints;
    for (const part of ['controller', 'edge', 'keeper'])
      env[`EVENKEEL_${part.toUpperCase()}_ENTRY`] = fileURLToPath(
        new URL(`./checkpoints/${part}-entry.ts`, import.meta.url),
      );
  }

  async up(): Promise<void> {
    await this.system.start();
    await this.system.post(`${pathOf(SCOPE.project, SCOPE.environment)}/secrets`, {
      secrets: { JWT_SECRET: this.jwtSecret },
    });
    await this.promote(await this.deploy());
  }

  /** Changes the code and the settings, as a person would between two deploys. */
  change({ version, errorRate = 0, canary = [], step = '1s', rollbackWindow = 300_000 }: ReleaseOptions): void {
    const release = [`VERSION = '${version}'`, `errorRate = ${errorRate}`, 'extraDelayMs = 0'];
    writeFileSync(join(this.root, 'api/release.js'), release.map((each) => `export const ${each};\n`).join(''));
    const steps = canary.map((weight) => `{ weight: ${weight}, for: ${step} }`);
    const file = readFileSync(join(CHAT, 'evenkeel.yaml'), 'utf8').trimEnd();
    writeFileSync(
      join(this.root, 'evenkeel.yaml'),
      `${file}
  ${ENVIRONMENT}:
    port: ${this.port}
    bind: 127.0.0.1
    rollout:
      canary: ${steps.length === 0 ? 'false' : `[${steps.join(', ')}]`}
      onInconclusive: promote
      rollbackWindow: ${rollbackWindow}ms
      drain: 4s
    services:
      api:
        build: sh witness.sh build api && sleep 0.2
        migrate: sh witness.sh migrate api && node api/migrate.js
        run: sh witness.sh start api && node api/main.js
        health: { path: /api/health, grace: 10s, deadline: 30s, interval: 200ms }
      model: { health: { path: /health, interval: 200ms } }
      ws:
        run: sh witness.sh start ws && node ws/main.js
        health: { path: /ws/health, interval: 200ms }
`,
    );
  }

  deploy(services?: string[]): Promise<string> {
    return this.system.deploy(this.root, { environment: ENVIRONMENT, ...(services === undefined ? {} : { services }) });
  }

  /** Waits until a rollout has all traffic. Throws when it ended otherwise. */
  async promote(id: string): Promise<void> {
    const done = await this.system.reach(
      id,
      ({ phase, end }) => phase === 'watching' || end !== null,
      `${id} to be promoted`,
    );
    if (done.end !== null && done.end !== 'complete') throw new Error(`${id} ended as ${done.end}: ${done.reason}`);
  }

  async journal(id: string): Promise<JournalView[]> {
    return (await this.system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${id}/story`)).entries;
  }

  /** The release that answers, by its own word. */
  async answers(path = '/api/version'): Promise<string> {
    const reply = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { connection: 'close' } });
    await reply.arrayBuffer();
    return reply.headers.get('x-app-version') ?? `nobody (${reply.status})`;
  }

  /** Requests that the edge has counted on its public port. */
  async edgeRequests(): Promise<number> {
    const client = unixClient({ socketPath: this.system.paths.edgeSocket, peer: 'The edge' });
    try {
      const stats = (await client.json({ path: '/stats' })) as EdgeStats;
      // The API asks the model over its internal address; those requests are no client's.
      const ofClients = ({ key }: { key: string }): boolean => !key.endsWith('/model');
      const chosen = stats.releases.filter(ofClients).reduce((sum, each) => sum + each.requests, 0);
      const unserved = stats.services.filter(ofClients).reduce((sum, each) => sum + each.unserved, 0);
      return chosen + unserved + stats.unrouted;
    } finally {
      client.close();
    }
  }

  /** How often each thing was done, such as `migrate api v7`. */
  witnessed(): Map<string, number> {
    const lines = existsSync(this.#witness) ? readFileSync(this.#witness, 'utf8').split('\n') : [];
    const counts = new Map<string, number>();
    for (const line of lines) if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  }
}
