import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../api/contract/client.ts';
import { isChanging } from '../api/contract/paths.ts';
import { KEY_HEADER, PERSON_HEADER, VERSION_HEADER } from '../api/contract/headers.ts';
import type { Project } from '../domain/project/project.ts';
import { EvenkeelError } from '../ports/errors.ts';
import { evenkeelPaths, type EvenkeelPaths } from '../platform/paths.ts';
import type { OpenRequest } from './cloud/open-cloud.ts';
import type { TerraformRequest } from './cloud/write-terraform.ts';
import type { EmulatorRequest } from './cloud/run-emulator.ts';
import type { DevRequest } from './dev/run-dev.ts';

/** A keeper starts a controller that died again; how long a command waits for that, ms: long enough for a busy machine. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;
/** A deploy reads every file of the project before it answers; stopping waits for what still drains. */
const LONG_MS = 120_000;

/**
 * The world as the CLI meets it (what `cli/deps.ts` asks for; bin.ts checks that). What only some commands need is imported when they need it: `rollback` has 300 ms for
 * everything, the start of Node included.
 */
export function cliDeps(version: string) {
  const { env } = process;
  const paths = evenkeelPaths(env);
  const person = env['SUDO_USER'] || username();
  return {
    version,
    env,
    // Read when a command needs it, so that one that does not works in a folder that was removed.
    get cwd() {
      return currentFolder();
    },
    username: person,
    // Opened when it is read first, which few commands do.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    now: () => Date.now(),
    connect: () => connect(paths, version, person),
    async ensureServer(signal: AbortSignal) {
      const { ensureKeeper } = await import('../platform/ensure-keeper.ts');
      return ensureKeeper({ env, paths, signal });
    },
    async runServer(): Promise<0 | 2> {
      const { runKeeperInForeground } = await import('../platform/foreground-keeper.ts');
      const { code } = await runKeeperInForeground({ env, paths });
      return code === 0 ? 0 : 2;
    },
    async runDev(request: DevRequest): Promise<void> {
      const { runDev } = await import('./dev/run-dev.ts');
      await runDev(request, paths, env);
    },
    systemdUnit: () => systemdUnit(paths),
    async examine(project: Project | null) {
      const { examine } = await import('./doctor/examine.ts');
      return examine({ paths, version, project });
    },
    async certificateConcerns(pairs: readonly { cert: string; key: string }[], hosts: readonly string[]) {
      const { concernsOfFiles } = await import('./certificate-files.ts');
      return concernsOfFiles(pairs, hosts);
    },
    async openCloud(request: OpenRequest) {
      const { openCloud } = await import('./cloud/open-cloud.ts');
      return openCloud(request, { env, paths });
    },
    async writeUrls(file: string, urls: Readonly<Record<string, string>>): Promise<string[]> {
      const { writeUrls } = await import('./cloud/urls.ts');
      return writeUrls(file, urls);
    },
    async exportTerraform(request: TerraformRequest) {
      const { exportTerraform } = await import('./cloud/write-terraform.ts');
      return exportTerraform(request, { env, paths, cwd: currentFolder() });
    },
    async runEmulator(request: EmulatorRequest): Promise<void> {
      const { runEmulator } = await import('./cloud/run-emulator.ts');
      await runEmulator(request, env);
    },
    async useEmulator(signal: AbortSignal): Promise<string> {
      const { useEmulator } = await import('./cloud/emulated-server.ts');
      return useEmulator({ env, paths }, signal);
    },
    async stopEmulator(options: { forget: boolean }): Promise<boolean> {
      const { stopEmulator } = await import('./cloud/emulator-process.ts');
      return stopEmulator(paths, options);
    },
    onInterrupt(callback: () => void) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, callback);
      return () => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, callback);
      };
    },
    endProcess: (pid: number): void => void process.kill(pid, 'SIGTERM'),
    exit: (code: number): void => process.exit(code),
  };
}

async function connect(paths: EvenkeelPaths, version: string, person: string): Promise<Transport> {
  const [{ unixClient }, { readToken }] = await Promise.all([
    import('../platform/unix-http.ts'),
    import('../platform/tokens.ts'),
  ]);
  const token = await readToken(paths.token);
  if (token === null) throw notRunning(paths);
  const client = unixClient({
    socketPath: paths.controllerSocket,
    peer: 'The controller',
    token,
    headers: { [VERSION_HEADER]: version, [PERSON_HEADER]: encodeURIComponent(person) },
    timeoutMs: 30_000,
  });
  return {
    json(request) {
      // One for each command, however often it has to ask.
      const asked = isChanging(request.operation)
        ? { timeoutMs: LONG_MS, ...request, headers: { [KEY_HEADER]: randomUUID() } }
        : request;
      return patiently(paths, () => client.json(asked));
    },
    async *lines(request) {
      try {
        yield* client.lines(request);
      } catch (error) {
        throw nobodyListens(error) ? notRunning(paths, error) : error;
      }
    },
    async *events(request) {
      try {
        yield* client.events(request);
      } catch (error) {
        throw nobodyListens(error) ? notRunning(paths, error) : error;
      }
    },
  };
}

/**
 * Nothing was sent when nobody listens. What was cut may have been heard: it is asked again with the same key, and so not
 * carried out again.
 */
async function patiently<T>(paths: EvenkeelPaths, ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!nobodyListens(error) && !isLate(error) && !wasCut(error)) throw error;
      if (performance.now() > deadline && isLate(error)) throw error;
      if (performance.now() > deadline || !(await somebodyRestarts(paths))) throw notRunning(paths, error);
      await sleep(PAUSE_MS);
    }
  }
}

/** A keeper starts the controller again; an edge that lost its keeper starts a keeper. */
async function somebodyRestarts(paths: EvenkeelPaths): Promise<boolean> {
  const [{ lockHolder }, { orphanedEdge }] = await Promise.all([
    import('../platform/lock.ts'),
    import('../platform/keeper-info.ts'),
  ]);
  const keeper = await lockHolder(paths.keeperLock).catch(() => ({ held: false }));
  return keeper.held || (await orphanedEdge(paths)) !== null;
}

/** It was a controller that another one has overtaken, and did nothing; or the first time is still under way. */
const isLate = (error: unknown): boolean =>
  error instanceof EvenkeelError && ['not-acting', 'idempotency-in-progress'].includes(error.code);

function nobodyListens(error: unknown): boolean {
  if (!(error instanceof EvenkeelError) || error.code !== 'peer-unreachable') return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

function wasCut(error: unknown): boolean {
  if (!(error instanceof EvenkeelError) || error.code !== 'peer-unreachable') return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function notRunning(paths: EvenkeelPaths, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'server-not-running',
    what: 'the evenkeel server does not run',
    where: paths.home,
    next: 'start it, and what belongs to it, with `evenkeel up`; `evenkeel server` runs it in the foreground',
    // Who follows a rollout waits for it to come back.
    retryable: true,
    cause,
  });
}

async function systemdUnit(paths: EvenkeelPaths): Promise<{ path: string; text: string; commands: string[] }> {
  const { unitFile } = await import('../platform/systemd-unit.ts');
  return {
    path: join('/etc/systemd/system', 'evenkeel.service'),
    text: unitFile({ execPath: process.execPath, home: paths.home, user: username() }),
    // Enabled, not only started: it is there after a reboot, and takes over from a keeper that runs already.
    commands: ['systemctl daemon-reload', 'systemctl enable --now evenkeel'],
  };
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new EvenkeelError({
      code: 'folder-gone',
      what: 'this folder does not exist any more',
      why: 'it was removed or replaced while this terminal was in it',
      next: 'cd to where the project is now; or name it with `--project NAME`, from any other folder',
      cause,
    });
  }
}

/** A user without a name has a number. */
function username(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
