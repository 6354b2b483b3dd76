import { join } from 'node:path';
import type { ApiDeps } from '../../../src/api/api-deps.ts';
import { openChanges } from '../../../src/api/changes/changes.ts';
import { createApi } from '../../../src/api/server.ts';
import { type UnixClient, unixClient } from '../../../src/platform/unix-http.ts';
import { apiDepsOf, TOKEN } from '../api-world.ts';
import { tempDir } from '../temp.ts';
import type { World } from './world.ts';

export interface SocketApi {
  /** As somebody who has the token. */
  client(name?: string): UnixClient;
  close(): Promise<void>;
}

/** The real API over the engine of a world, on a socket. */
export async function openApi(world: Pick<World, 'engine'>, over: Partial<ApiDeps> = {}): Promise<SocketApi> {
  const socketPath = join(tempDir('api'), 'controller.sock');
  const changes = openChanges(world.engine);
  const api = createApi({ ...apiDepsOf(world), changes, ...over });
  await api.listen({ path: socketPath });
  const clients: UnixClient[] = [];
  return {
    client(name = 'ann') {
      const headers = { 'evenkeel-by': encodeURIComponent(name) };
      const client = unixClient({ socketPath, peer: 'The controller', token: TOKEN, headers, keepAlive: true });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      changes.close();
      await api.close();
    },
  };
}
