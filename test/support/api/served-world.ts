import { join } from 'node:path';
import { type Changes, type ChangesOptions, openChanges } from '../../../src/api/changes/changes.ts';
import type { ApiDeps } from '../../../src/api/api-deps.ts';
import { type ApiClient, apiClient } from '../../../src/api/contract/client.ts';
import { createApi } from '../../../src/api/server.ts';
import type { Project } from '../../../src/domain/project/project.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { unixClient } from '../../../src/platform/unix-http.ts';
import type { EdgeSample, InstanceSample, Telemetry } from '../../../src/ports/store.ts';
import { createHistogram, record, toCounts } from '../../../src/lib/histogram.ts';
import { openTelemetry } from '../../../src/store/telemetry/open.ts';
import { openWorld, policy, project, service, type World } from '../engine/world.ts';
import { apiDepsOf } from '../api-world.ts';
import { tempDir } from '../temp.ts';
import { waitFor } from '../wait.ts';

const TOKEN = 'a-token-of-the-test';

/** The API on a real socket, over a real engine, store and telemetry file, on the machine's own clock. */
export interface ServedWorld {
  world: World;
  telemetry: Telemetry;
  changes: Changes;
  deps: ApiDeps;
  client: ApiClient;
  /** As somebody else at the same machine. */
  another: ApiClient;
  socketPath: string;
  token: string;
  /** Deploys, and waits until all of it serves. */
  serve(definition: Project, label?: string): Promise<string>;
  close(): Promise<void>;
}

export async function openServedWorld(options: ChangesOptions = {}): Promise<ServedWorld> {
  const world = await openWorld({ clock: systemClock });
  const folder = tempDir('served');
  const telemetry = await openTelemetry({ file: join(folder, 'telemetry.db'), warn: () => {}, collectMs: 0 });
  const changes = openChanges(world.engine, options);
  const socketPath = join(folder, 'api.sock');
  const deps: ApiDeps = { ...apiDepsOf(world), changes, telemetry };
  const api = createApi(deps);
  await api.listen({ path: socketPath });
  const transport = unixClient({ socketPath, peer: 'The controller', token: TOKEN, timeoutMs: 30_000 });
  const client = apiClient(transport);
  const headers = { 'evenkeel-by': 'ben' };
  const bens = unixClient({ socketPath, peer: 'The controller', token: TOKEN, timeoutMs: 30_000, headers });
  return {
    world,
    telemetry,
    changes,
    deps,
    client,
    another: apiClient(bens),
    socketPath,
    token: TOKEN,
    async serve(definition, label) {
      const scope = { project: definition.name, environment: definition.environment.name };
      const asked = { ...scope, definition: { ...definition }, ...(label === undefined ? {} : { label }) };
      const { rollout } = await client.deploy(asked);
      if (rollout === null) throw new Error('nothing was rolled out');
      await waitFor(async () => (await client.getRollout({ rollout })).promotedAt !== null, {
        what: `${rollout} to be promoted`,
        timeout: 30_000,
      });
      return rollout;
    },
    async close() {
      transport.close();
      bens.close();
      changes.close();
      await api.close();
      await world.close();
      await telemetry.close();
    },
  };
}

/** A project of these services in an environment, whose rollouts are over quickly. */
export function projectIn(environment: string, services: Parameters<typeof project>[0], over = {}): Project {
  return project(services, { name: environment, ...over });
}

export const quick = (name: string, over: Partial<Parameters<typeof service>[1]> = {}) =>
  service(name, {
    routes: [{ host: null, path: `/${name}` }],
    rollout: policy({ drainMs: 10, rollbackWindowMs: 300 }),
    ...over,
  });

export const edgeSample = (at: number, key: string, over: Partial<EdgeSample> & { ms?: number[] } = {}): EdgeSample => {
  const { ms = [], ...rest } = over;
  const histogram = createHistogram();
  for (const each of ms) record(histogram, each);
  const release = `${key.slice(key.lastIndexOf('/') + 1)}@1`;
  return { at, key, release, requests: ms.length, bad: 0, classes: [0, ms.length], ttfb: toCounts(histogram), ...rest };
};

export const instanceSample = (at: number, key: string, over: Partial<InstanceSample> = {}): InstanceSample => {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return { at, key, instance: `${name}-0`, release: `${name}@1`, cpu: 0.1, memory: 1_000_000, ...over };
};
