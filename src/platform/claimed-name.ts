import { createServer } from 'node:net';

/** A name that nobody else on this machine has while this process has it. */
export interface ClaimedName {
  giveUp(): void;
}

/**
 * Claims a name among the processes of this machine (more exactly: of its network namespace, as ports are), until it is given
 * up or the process ends, however it ends. Null: somebody has it. Linux keeps such names for sockets without a file.
 */
export function claimName(name: string): Promise<ClaimedName | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ path: `\0${name}` }, () => {
      server.unref();
      resolve({ giveUp: () => void server.close() });
    });
  });
}
