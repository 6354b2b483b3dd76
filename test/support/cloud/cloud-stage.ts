import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalView } from '../../../src/api/contract/rollouts.ts';
import type { Fault } from '../../../src/emulator/core/faults.ts';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { ask, emulated, TOKEN } from '../../emulator/emulated.ts';
import { FOLDER } from '../checkpoints/order.ts';
import { openHome, type System } from '../evenkeel-home.ts';
import { once } from './cloud-run-world.ts';

export const PARENT = '/v2/projects/demo-project/locations/europe-west1';
const ENVIRONMENT = 'production';

export interface CloudRelease {
  version: string;
  /** Percent of requests that fail. */
  bad?: number;
  /** Weights in percent; none: straight to 100 %. */
  canary?: readonly number[];
  step?: string;
  /** ms */
  rollbackWindow?: number;
  minInstances?: number;
  /** A command in the place of the usual one. */
  migrate?: string;
  /** Further keys of the rollout, such as `onInconclusive: promote`. */
  rollout?: string;
  /** Beside `api`. */
  services?: readonly string[];
  /** Further environments, as they are in the file. */
  environments?: string;
}

/** How requests of the controller reach the emulator, or do not; see `CloudStage.interfere`. */
export type Interference = (method: string) => Fault[];

/**
 * A project on Cloud Run, emulated in this process, with a real keeper and controller that may be killed. Each migration
 * writes a line into a witness file.
 */
export class CloudStage {
  readonly system: System;
  readonly emulator: Emulator;
  readonly root: string;
  readonly checkpoints: string;
  readonly #witness: string;
  #interference: Interference | null = null;

  private constructor(folder: string, emulator: Emulator) {
    this.emulator = emulator;
    this.root = join(folder, 'shop');
    this.#witness = join(folder, 'witness');
    this.checkpoints = join(folder, 'checkpoints');
    for (const each of [this.root, this.checkpoints]) mkdirSync(each, { recursive: true });
    writeFileSync(this.#witness, '');
    this.system = openHome(folder);
    Object.assign(this.system.env, {
      EVENKEEL_CLOUD_ENDPOINT: emulator.url,
      EVENKEEL_CLOUD_TOKEN: TOKEN,
      EVENKEEL_CLOUD_METRICS: '1000/300',
      [FOLDER]: this.checkpoints,
      EVENKEEL_CONTROLLER_ENTRY: fileURLToPath(new URL('../checkpoints/controller-entry.ts', import.meta.url)),
    });
    const { faults } = emulator.world;
    const planned = faults.of.bind(faults);
    faults.of = (method) => [...planned(method), ...(this.#interference?.(method) ?? [])];
  }

  /** Everything but services is there; nothing of evenkeel runs yet. */
  static async prepare(folder: string): Promise<CloudStage> {
    const run = { idleMs: 60_000, startupMs: 20_000, graceMs: 2_000, metricsStepMs: 1_000, metricsDelayMs: 200 };
    const names = ['run', 'iam', 'cloudbuild', 'artifactregistry', 'storage', 'monitoring', 'logging'];
    const emulator = await emulated({ on: [...names, 'cloudresourcemanager', 'secretmanager'], run });
    const stage = new CloudStage(folder, emulator);
    stage.change({ version: 'v0' });
    await stage.#ready();
    return stage;
  }

  async #ready(): Promise<void> {
    const made = async (api: string, path: string, body: object): Promise<void> => {
      const { status, body: said } = await ask(this.emulator, 'POST', api, path, { body });
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(said)}`);
    };
    await made('iam', '/v1/projects/demo-project/serviceAccounts', { accountId: 'shop-production-run' });
    const parent = '/v1/projects/demo-project/locations/europe-west1/repositories';
    await made('artifactregistry', `${parent}?repositoryId=shop-production`, { format: 'DOCKER' });
  }

  /** Changes the code and the settings, as a person would between two deploys. */
  change(release: CloudRelease): void {
    const { version, canary = [], step = '4s', rollbackWindow = 300_000, rollout = '' } = release;
    const names = ['api', ...(release.services ?? [])];
    for (const name of names) this.program(name, version, name === names.at(-1) ? (release.bad ?? 0) : 0);
    const steps = canary.map((weight) => `{ weight: ${weight}, for: ${step} }`);
    const least = release.minInstances === undefined ? '' : `\n    instances: { min: ${release.minInstances}, max: 4 }`;
    const services = names.map(
      (name) => `  ${name}:
    run: node main.js
    dir: ${name}
    context: ${name}
    env: { WITNESS: ${this.#witness} }
    migrate: ${JSON.stringify(release.migrate ?? `echo "migrate ${name} ${version}" | tee -a "$WITNESS"`)}
    health: { path: /health, grace: 10s, deadline: 60s, interval: 200ms }${least}
    routes: [/${name}]
`,
    );
    writeFileSync(
      join(this.root, 'evenkeel.yaml'),
      `project: shop
cloud: { project: demo-project, region: europe-west1 }
services:
${services.join('')}
environments:
  ${ENVIRONMENT}:
    runtime: cloud-run
    rollout:
      canary: ${steps.length === 0 ? 'false' : `[${steps.join(', ')}]`}
      analysis: { errorRate: "< 5%", p95: "< 20s", minRequests: 10 }
      rollbackWindow: ${rollbackWindow}ms
      ${rollout}
${release.environments ?? ''}`,
    );
  }

  /** What a service is: it says its version, and fails so many of a hundred requests that are not for its health. */
  program(name: string, version: string, bad: number): void {
    const folder = join(this.root, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'Dockerfile'),
      `FROM node:24 AS build
WORKDIR /app
COPY . .
FROM node:24
WORKDIR /app
COPY --from=build /app /app
CMD ["node", "main.js"]
`,
    );
    writeFileSync(
      join(folder, 'main.js'),
      `require('node:http').createServer((request, response) => {
  if (request.url !== '/health' && Math.random() * 100 < ${bad}) response.statusCode = 500;
  if (request.url.startsWith('/say')) console.log('${version} was asked ' + request.url);
  response.end('${version}');
}).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`,
    );
  }

  deploy(services?: string[]): Promise<string> {
    const chosen = services === undefined ? {} : { services };
    return this.system.deploy(this.root, { environment: ENVIRONMENT, ...chosen });
  }

  /** Waits until a rollout has all traffic. Throws when it ended otherwise. */
  async promoted(id: string): Promise<void> {
    const test = ({ phase, end }: { phase: string; end: string | null }): boolean =>
      phase === 'watching' || end !== null;
    const done = await this.system.reach(id, test, `${id} to be promoted`, 120_000);
    if (done.end !== null && done.end !== 'complete') throw new Error(`${id} ended as ${done.end}: ${done.reason}`);
  }

  async journal(id: string): Promise<JournalView[]> {
    return (await this.system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${id}/story`)).entries;
  }

  // eslint-disable-next-line typescript/no-explicit-any -- as Google shapes it, looked into by matchers
  async cloud(path: string): Promise<any> {
    return (await ask(this.emulator, 'GET', 'run', `${PARENT}/${path}`)).body;
  }

  async address(name = 'api'): Promise<string> {
    const { uri } = (await this.cloud(`services/shop-production-${name}`)) as { uri?: string };
    if (uri === undefined) throw new Error(`${name} has no address`);
    return `${uri}/`;
  }

  /** The version that answers. */
  async answers(name = 'api'): Promise<string> {
    const { status, body } = await once(this.emulator.url, await this.address(name));
    return status === 200 ? body : `${status} ${body}`;
  }

  /** Is asked about every call of a Google API, in this process and before anything is done about it; null: no more. */
  interfere(how: Interference | null): void {
    this.#interference = how;
  }

  /** How often each thing was done, such as `migrate api v7`. */
  witnessed(): Map<string, number> {
    const lines = existsSync(this.#witness) ? readFileSync(this.#witness, 'utf8').split('\n') : [];
    const counts = new Map<string, number>();
    for (const line of lines) if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  }
}
