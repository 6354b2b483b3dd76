import type { NodeChild } from '../platform/child.ts';
import type { ControllerToKeeper, KeeperToController, PortBinding } from '../platform/ipc-messages.ts';
import type { ListenHandle } from '../platform/listen-handle.ts';
import { describeExit } from './describe-exit.ts';
import type { ControllerRole } from '../platform/keeper-info.ts';
import type { Say } from './keeper-log.ts';
import { watch } from '../platform/watchdog.ts';

type ControllerChild = NodeChild<ControllerToKeeper, KeeperToController>;

export interface ControllersOptions {
  start: () => Promise<ControllerChild>;
  /** The API's socket: requests wait in it while there is no controller. */
  api: ListenHandle;
  /** The dashboard's address, while it is held. */
  web: () => { readonly port: PortBinding; readonly handle: ListenHandle } | null;
  /** Told which controller runs from now on; null when none does. */
  running: (pid: number | null, role: ControllerRole) => void;
  /** What the controller asks for. */
  asked: (message: ControllerToKeeper, answer: (message: KeeperToController) => void) => void;
  /** How long one that was ready may be silent before it is killed, ms; 0 for ever. */
  silenceMs: number;
  say: Say;
}

export interface Controllers {
  /** Hands the dashboard's address on, when it was not there at the start. */
  offerWeb(): void;
  /** A life of a controller, for `keepRunning`. */
  live(): Promise<string>;
  /** Tells it to leave, and resolves when it has; it is killed after `ms`. */
  stop(ms: number): Promise<void>;
  kill(): void;
}

export function controllers({ start, api, web, running, asked, silenceMs, say }: ControllersOptions): Controllers {
  let current: ControllerChild | null = null;
  let starting: Promise<ControllerChild> | null = null;
  let stopping = false;
  const sendWeb = (child: ControllerChild): void => {
    const held = web();
    if (held !== null) child.send({ type: 'web', ...held.port }, held.handle);
  };
  return {
    offerWeb: () => current !== null && sendWeb(current),
    async live() {
      starting = start();
      const child = await starting;
      current = child;
      if (stopping) child.kill('SIGKILL'); // told to stop while it was being started
      let watched = false;
      child.onMessage((message) => {
        if (message.type === 'ready') running(child.pid, 'acts');
        else if (message.type === 'standing-by') running(child.pid, 'stands by');
        // Not earlier: opening a large store takes its time, and nobody waits for an answer meanwhile.
        if ((message.type === 'ready' || message.type === 'standing-by') && !watched) {
          watched = true;
          watch(child, { silenceMs, hung: (reason) => say(`controller ${child.pid} ${reason}`) });
        }
        asked(message, (answer) => child.send(answer));
      });
      sendWeb(child);
      child.send({ type: 'api' }, api);
      running(child.pid, 'starts');
      const exit = await child.exited;
      current = null;
      running(null, 'starts');
      return `controller ${child.pid} ended: ${describeExit(exit)}`;
    },
    async stop(ms) {
      stopping = true;
      await starting?.catch(() => {});
      const child = current;
      if (child === null) return;
      child.send({ type: 'shutdown' });
      const timer = setTimeout(() => child.kill('SIGKILL'), ms);
      await child.exited;
      clearTimeout(timer);
    },
    kill: () => void current?.kill('SIGKILL'),
  };
}
