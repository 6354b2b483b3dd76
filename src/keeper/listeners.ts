import { writeFileAtomic } from '../platform/atomic-file.ts';
import { portId, type PortBinding } from '../platform/ipc-messages.ts';
import { bindPort, isFailure, type ListenHandle } from '../platform/listen-handle.ts';
import { readJson } from '../platform/read-json.ts';
import type { Say } from './keeper-log.ts';

/** Between two tries to have a port that somebody else has, ms. */
const RETRY = 500;

export interface HeldPort extends PortBinding {
  id: string;
  handle: ListenHandle;
}

export type Held = { ok: true; held: HeldPort } | { ok: false; code: string };

/** The ports this keeper holds, bound but never accepted from, and the record of them for the next keeper. */
export interface Listeners {
  all(): HeldPort[];
  /** Takes over a socket that an edge held while there was no keeper. */
  adopt(port: PortBinding, handle: ListenHandle): void;
  /** Binds what an earlier keeper held and nobody has handed over. */
  bindRecorded(): void;
  hold(port: PortBinding): Held;
  /** Lets go of every port not among these; returns the ones let go. */
  keepOnly(ports: readonly PortBinding[]): HeldPort[];
  close(): void;
}

/** @param gained is told of a port that could be had at last, after `hold` had failed. */
export async function listeners(file: string, gained: (port: HeldPort) => void, say: Say): Promise<Listeners> {
  const held = new Map<string, HeldPort>();
  const missing = new Map<string, PortBinding>();
  let saved = Promise.resolve();
  const recorded = await recordedPorts(file);

  const save = (): void => {
    const ports = [...held.values(), ...missing.values()].map(({ port, bind }) => ({ port, bind }));
    saved = saved
      .then(() => writeFileAtomic(file, JSON.stringify(ports)))
      .catch((error: unknown) => say(`cannot write ${file}: ${String(error)}`));
  };

  const put = (port: PortBinding, handle: ListenHandle): HeldPort => {
    const id = portId(port);
    const made = { id, port: port.port, bind: port.bind, handle };
    held.set(id, made);
    missing.delete(id);
    return made;
  };

  const hold = (port: PortBinding): Held => {
    const id = portId(port);
    const known = held.get(id);
    if (known !== undefined) return { ok: true, held: known };
    const handle = bindPort(port);
    if (!isFailure(handle)) return { ok: true, held: put(port, handle) };
    if (!missing.has(id)) say(`cannot listen on ${id}: ${handle.code}; trying again`);
    missing.set(id, port);
    return { ok: false, code: handle.code };
  };

  const retry = setInterval(() => {
    for (const port of missing.values()) {
      const answer = hold(port);
      if (!answer.ok) continue;
      say(`listening on ${answer.held.id} at last`);
      gained(answer.held);
    }
  }, RETRY);

  return {
    all: () => [...held.values()],
    adopt(port, handle) {
      if (held.has(portId(port))) handle.close();
      else put(port, handle);
      save();
    },
    bindRecorded() {
      for (const port of recorded) hold(port);
    },
    hold(port) {
      const fresh = !held.has(portId(port)) && !missing.has(portId(port));
      const answer = hold(port);
      if (fresh) save();
      return answer;
    },
    keepOnly(ports) {
      const wanted = new Set(ports.map(portId));
      const gone = [...held.values()].filter(({ id }) => !wanted.has(id));
      for (const { id, handle } of gone) {
        handle.close();
        held.delete(id);
      }
      const forgotten = [...missing.keys()].filter((id) => !wanted.has(id));
      for (const id of forgotten) missing.delete(id);
      if (gone.length + forgotten.length > 0) save();
      return gone;
    },
    close() {
      clearInterval(retry);
      for (const { handle } of held.values()) handle.close();
      held.clear();
    },
  };
}

async function recordedPorts(file: string): Promise<PortBinding[]> {
  const value = await readJson(file);
  return Array.isArray(value) ? value.filter(isPort) : [];
}

const isPort = (value: unknown): value is PortBinding =>
  typeof (value as PortBinding | null)?.port === 'number' && typeof (value as PortBinding).bind === 'string';
