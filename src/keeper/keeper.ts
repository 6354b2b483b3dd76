import { closeSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import { spawnNode, type NodeChild } from '../platform/child.ts';
import { entryFile, NODE_OPTIONS, processEnv } from '../platform/entry.ts';
import type {
  ControllerToKeeper,
  EdgeToKeeper,
  KeeperToController,
  KeeperToEdge,
  PortBinding,
} from '../platform/ipc-messages.ts';
import { evenkeelVersion, type KeeperInfo } from '../platform/keeper-info.ts';
import { bindUnixSocket, isFailure } from '../platform/listen-handle.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { processIdentity, type ProcessIdentity } from '../platform/process/identity.ts';
import { openOutput } from '../platform/start-keeper.ts';
import { controllers, type Controllers } from './controllers.ts';
import { dashboardPort } from './dashboard-port.ts';
import { edges } from './edges.ts';
import { keepRunning } from '../platform/keep-running.ts';
import type { Say } from './keeper-log.ts';
import { listeners } from './listeners.ts';
import { dismiss, gone, type Adoption } from './orphans.ts';

/** Until a new edge must be ready, ms. */
const READY = 10_000;
/** Until an edge that was replaced must be gone, ms: well beyond every drain that a service may ask for. */
const DRAIN = 15 * 60_000;
/** Until edge and controller must be gone when everything stops, ms. */
const STOP = 60_000;
/** How long edge and controller may be silent before they are taken for hung, ms. */
const EDGE_SILENCE = 10_000;
const CONTROLLER_SILENCE = 20_000;
/** How long the edge of a keeper that died serves on before the controller is there, ms. */
const CONTROLLER_FIRST = 3_000;

export interface KeeperOptions {
  env: NodeJS.ProcessEnv;
  paths: EvenkeelPaths;
  adopted: Adoption | null;
  /** How many controllers: one that acts, the others stand by. */
  controllers: number;
  /** Where the dashboard should be. */
  dashboard: PortBinding | 'any' | 'nowhere';
  say: Say;
}

export interface Keeper {
  handOver(): Promise<unknown>;
  /** Resolves when edge and controller are gone and the sockets closed. A second call kills them. */
  stop(why: string): Promise<void>;
  /** Resolves when it has stopped, whoever asked. */
  readonly stopped: Promise<void>;
}

/** Runs edge and controller. The caller holds the keeper's lock. Throws when the API's socket cannot be made. */
export async function runKeeper({
  env,
  paths,
  adopted,
  controllers: count,
  dashboard,
  say,
}: KeeperOptions): Promise<Keeper> {
  const info = keeperInfo(paths, adopted?.edge ?? null, say);
  const api = bindUnixSocket(paths.controllerSocket);
  if (isFailure(api)) throw new Error(`cannot make the socket ${paths.controllerSocket}: ${api.code}`);

  const ports = await listeners(paths.keeperPorts, (port) => edge.offer(port), say);
  for (const { port, handle } of adopted?.sockets ?? []) ports.adopt(port, handle);
  ports.bindRecorded();
  const all: Controllers[] = [];
  const web = await dashboardPort(dashboard, {
    file: paths.dashboardPort,
    gained: (port) => {
      void info.set({ dashboard: port });
      for (const each of all) each.offerWeb();
    },
    say,
  });

  const edge = edges({
    start: () => startChild<EdgeToKeeper, KeeperToEdge>('edge', env, paths),
    listeners: ports,
    // Whoever holds a socket is on record before: after the death of this process it is waited for.
    beginning: (pid) => info.set({ nextEdge: processIdentity(pid) }),
    serving: (pid) => {
      void info.set({ edge: pid === null ? null : processIdentity(pid) });
      if (pid !== null && adopted !== null) void dismiss(adopted);
    },
    readyMs: Number(env['EVENKEEL_EDGE_READY_MS'] ?? READY),
    drainMs: DRAIN,
    silenceMs: Number(env['EVENKEEL_EDGE_SILENCE_MS'] ?? EDGE_SILENCE),
    say,
  });
  const answering = Promise.withResolvers<void>();
  let failures = 0;
  void info.set({ controllersWanted: count });
  const slots = new Map<number, NonNullable<KeeperInfo['controllers']>[number]>();
  const told = (): Pick<KeeperInfo, 'controller' | 'controllers'> => {
    const all = [...slots.values()];
    const first = all.find(({ role }) => role === 'acts') ?? all.find(({ role }) => role === 'starts') ?? all[0];
    return { controller: first?.process ?? null, controllers: all };
  };
  const controller = (slot: number): Controllers =>
    controllers({
      start: () => startChild<ControllerToKeeper, KeeperToController>('controller', env, paths),
      api,
      web: () => web.held(),
      running: (pid, role) => {
        const identity = pid === null ? null : processIdentity(pid);
        if (identity === null) slots.delete(slot);
        else {
          // One that hangs cannot say that it acts no more.
          if (role === 'acts') for (const each of slots.values()) if (each.role === 'acts') each.role = 'stands by';
          slots.set(slot, { process: identity, role });
        }
        if (pid === null) failures++;
        void info.set({ ...told(), controllerFailures: failures });
      },
      asked: (message, answer) => {
        if (message.type === 'ready') {
          answering.resolve();
          void info.set({ controllerFailures: (failures = 0) });
        } else if (message.type === 'stop-all') void stop('the controller asks for it');
        else if (message.type === 'restart-edge')
          void edge.handOver().then((outcome) => answer({ type: 'edge-restarted', ...outcome }));
      },
      silenceMs: Number(env['EVENKEEL_CONTROLLER_SILENCE_MS'] ?? CONTROLLER_SILENCE),
      say,
    });

  for (let slot = 0; slot < count; slot++) all.push(controller(slot));

  const stopping = new AbortController();
  const tell = (how: string, pauseMs: number): void => say(`${how}; next start in ${pauseMs} ms`);
  for (const each of all) void keepRunning(each.live, tell, stopping.signal);
  // Commands wait for a controller, and nobody for a second edge while there is one: they would start each other slowly.
  const first = Number(env['EVENKEEL_CONTROLLER_FIRST_MS'] ?? CONTROLLER_FIRST);
  const edgeWanted = adopted === null ? null : Promise.race([answering.promise, gone(adopted), sleep(first)]);
  void Promise.resolve(edgeWanted).then(() => keepRunning(edge.live, tell, stopping.signal));

  const stopped = Promise.withResolvers<void>();
  const stop = async (why: string): Promise<void> => {
    if (stopping.signal.aborted) {
      edge.kill();
      for (const each of all) each.kill();
      return stopped.promise;
    }
    say(`stopping: ${why}`);
    stopping.abort();
    const closeApi = (): void => {
      // Before the edge has drained: who calls now shall not wait for a controller that does not come.
      rmSync(paths.controllerSocket, { force: true });
      api.close();
    };
    const dismissed = adopted === null ? null : dismiss(adopted);
    await Promise.all([edge.stop(STOP), Promise.all(all.map((each) => each.stop(STOP))).then(closeApi), dismissed]);
    ports.close();
    web.close();
    await info.remove();
    say('stopped');
    stopped.resolve();
  };
  return { handOver: edge.handOver, stop, stopped: stopped.promise };
}

async function startChild<In, Out>(
  entry: 'edge' | 'controller',
  env: NodeJS.ProcessEnv,
  paths: EvenkeelPaths,
): Promise<NodeChild<In, Out>> {
  const outputFd = openOutput(paths, entry);
  try {
    return await spawnNode<In, Out>({
      entry: entryFile(entry, env),
      nodeOptions: NODE_OPTIONS[entry],
      env: processEnv(env, paths),
      outputFd,
    });
  } finally {
    closeSync(outputFd);
  }
}

/** The record of who runs, written in the order of the changes. It says nothing after a reboot, so no disk is waited for. */
function keeperInfo(
  paths: EvenkeelPaths,
  edge: ProcessIdentity | null,
  say: Say,
): { set(change: Partial<KeeperInfo>): Promise<void>; remove(): Promise<void> } {
  const self = processIdentity(process.pid);
  if (self === null) throw new Error('/proc does not show this process');
  let info: KeeperInfo = {
    keeper: self,
    startedAt: Date.now(),
    version: evenkeelVersion(),
    edge,
    controller: null,
    controllerFailures: 0,
  };
  let written = Promise.resolve();
  const write = (): Promise<void> => {
    const content = `${JSON.stringify(info)}\n`;
    written = written
      .then(() => writeFileAtomic(paths.keeperInfo, content, { durable: false }))
      .catch((error: unknown) => say(`cannot write ${paths.keeperInfo}: ${String(error)}`));
    return written;
  };
  void write();
  return {
    set(change) {
      info = { ...info, ...change };
      return write();
    },
    async remove() {
      await written;
      rmSync(paths.keeperInfo, { force: true });
    },
  };
}
