import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeployReply } from '../../src/api/contract/deploys.ts';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { loadProject } from '../../src/config/load-project.ts';
import { ensureKeeper } from '../../src/platform/ensure-keeper.ts';
import { type KeeperInfo, readKeeperInfo } from '../../src/platform/keeper-info.ts';
import { evenkeelPaths, type EvenkeelPaths } from '../../src/platform/paths.ts';
import { isAlive, type ProcessIdentity } from '../../src/platform/process/identity.ts';
import { readToken } from '../../src/platform/tokens.ts';
import { unixClient } from '../../src/platform/unix-http.ts';
import { waitFor } from './wait.ts';

const CLI = fileURLToPath(new URL('../../bin/evenkeel', import.meta.url));

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Wall time from the start of the process to the end of its output. */
  ms: number;
}

/** evenkeel as a user has it: a home of its own, the real keeper, controller and edge. */
export interface System {
  paths: EvenkeelPaths;
  env: NodeJS.ProcessEnv;
  /** Runs `bin/evenkeel` to its end. */
  cli(args: string[], options: { cwd: string; input?: string; person?: string }): Promise<CliResult>;
  start(): Promise<void>;
  deploy(
    root: string,
    options?: { services?: string[]; environment?: string; onlyChanged?: boolean; replace?: boolean },
  ): Promise<string>;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  rollout(id: string): Promise<RolloutView>;
  /** Waits until a rollout looks as the test says. */
  reach(id: string, test: (rollout: RolloutView) => boolean, what: string, timeout?: number): Promise<RolloutView>;
  status(): Promise<StatusReply>;
  keeperInfo(): Promise<KeeperInfo>;
  /** Ends keeper, controller, edge and all instances; resolves when they are gone. */
  stop(): Promise<void>;
}

/** Where the API has an environment. */
export const pathOf = (project: string, environment: string): string =>
  `/api/v1/projects/${project}/environments/${environment}`;

/** Nothing runs before `start`. Whoever opens it stops it. */
export function openHome(folder: string): System {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    EVENKEEL_HOME: join(folder, 'h'),
    EVENKEEL_SECRETS_KEY_FILE: join(folder, 'secrets.key'),
    USER: 'ada',
  };
  const paths = evenkeelPaths(env);
  const request = async <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> => {
    const token = (await readToken(paths.token)) ?? '';
    const client = unixClient({ socketPath: paths.controllerSocket, peer: 'The controller', timeoutMs: 60_000, token });
    try {
      return (await client.json({ method, path, ...(body === undefined ? {} : { body }) })) as T;
    } finally {
      client.close();
    }
  };
  const rollout = (id: string): Promise<RolloutView> => request('GET', `/api/v1/rollouts/${id}`);
  return {
    paths,
    env,
    rollout,
    cli: (args, { person, ...options }) =>
      runCli(args, { ...options, env: person === undefined ? env : { ...env, SUDO_USER: person } }),
    start: async () => void (await ensureKeeper({ env, paths })),
    async deploy(root, { services, environment = 'development', onlyChanged = false, replace = false } = {}) {
      const loaded = await loadProject({ root, environment, processEnv: env });
      if (!loaded.ok) throw new Error(loaded.problems.map((each) => `${each.line}: ${each.message}`).join('\n'));
      const reply = await request<DeployReply>('POST', `${pathOf(loaded.project.name, environment)}/deploy`, {
        definition: loaded.project,
        services: services ?? null,
        onlyChanged,
        label: null,
        replace,
        keepFailed: null,
      });
      if (reply.rollout === null) throw new Error(reply.message);
      return reply.rollout;
    },
    get: (path) => request('GET', path),
    post: (path, body) => request('POST', path, body),
    async reach(id, test, what, timeout = 60_000) {
      let last: RolloutView | null = null;
      try {
        return await waitFor(
          async () => {
            last = await rollout(id);
            return test(last) ? last : null;
          },
          { what, timeout, interval: 50 },
        );
      } catch (error) {
        const at = last as RolloutView | null;
        throw new Error(`${String(error)}; it is ${at?.end ?? at?.phase}: ${at?.reason}`, { cause: error });
      }
    },
    status: () => request('GET', '/api/v1/status'),
    async keeperInfo() {
      const info = await readKeeperInfo(paths);
      if (info === null) throw new Error('no keeper has run');
      return info;
    },
    async stop() {
      if ((await readKeeperInfo(paths)) === null) return;
      await request('POST', '/api/v1/server/stop', { instances: true }).catch((error: unknown) =>
        console.error(`stop: ${String(error)}`),
      );
      await allGone(paths);
    },
  };
}

async function allGone(paths: EvenkeelPaths): Promise<void> {
  const alive = (identity: ProcessIdentity | null): boolean => identity !== null && isAlive(identity);
  await waitFor(
    async () => {
      const now = await readKeeperInfo(paths);
      return now === null || ![now.keeper, now.controller, now.edge].some(alive);
    },
    { what: 'keeper, controller and edge to end', timeout: 60_000 },
  );
}

async function runCli(
  args: string[],
  { cwd, input, env }: { cwd: string; input?: string; env: NodeJS.ProcessEnv },
): Promise<CliResult> {
  const started = performance.now();
  const child = spawn(CLI, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr, ms: performance.now() - started };
}
