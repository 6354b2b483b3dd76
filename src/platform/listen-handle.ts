import net from 'node:net';
import { renameSync, rmSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { PortBinding } from './ipc-messages.ts';

/** A bound socket that this process does not accept from; it passes through IPC, and `server.listen(handle)` takes it. */
export interface ListenHandle {
  close(): void;
}

/** Why a socket could not be bound: the system's name for it, such as EADDRINUSE or EACCES. */
export interface BindFailure {
  code: string;
}

/**
 * Binds without listening. Node makes such handles for its cluster module and lets everybody call this, but does not
 * document it: nothing documented binds a socket that the process itself must never accept from. A process that only
 * holds the handle takes no connection from the queue, and the queue lives as long as anybody holds the socket.
 */
interface NetInternals {
  _createServerHandle(
    address: string,
    port: number,
    addressType: 4 | 6 | -1,
    fd?: number,
    flags?: number,
  ): (ListenHandle & { getsockname?(out: object): number }) | number;
}

export function bindPort({ port, bind }: PortBinding): ListenHandle | BindFailure {
  return bindHandle(bind, port, net.isIPv6(bind) ? 6 : 4);
}

/** Binds a Unix socket in the place of whatever is at `path`, as one step: there is never a moment without a file. */
export function bindUnixSocket(path: string): ListenHandle | BindFailure {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const handle = bindHandle(temporary, -1, -1);
  if (!isFailure(handle)) renameSync(temporary, path);
  return handle;
}

export const isFailure = (bound: ListenHandle | BindFailure): bound is BindFailure => 'code' in bound;

function bindHandle(address: string, port: number, addressType: 4 | 6 | -1): ListenHandle | BindFailure {
  const made = (net as unknown as NetInternals)._createServerHandle(address, port, addressType);
  if (typeof made === 'number') return { code: getSystemErrorName(made) };
  // libuv remembers that an address is in use, and says so at the next call only.
  const late = addressType === -1 ? 0 : (made.getsockname?.({}) ?? 0);
  if (late === 0) return made;
  made.close();
  return { code: getSystemErrorName(late) };
}
