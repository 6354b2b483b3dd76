import { join } from 'node:path';
import type { ApiDeps } from '../../src/api/api-deps.ts';
import { openChanges } from '../../src/api/changes/changes.ts';
import type { Handlers } from '../../src/api/call.ts';
import { createApi } from '../../src/api/server.ts';
import { unixClient, type UnixClient } from '../../src/platform/unix-http.ts';
import { projectSchema } from '../../src/store/rows/project.ts';
import { accessDeps } from '../../src/app/access-deps.ts';
import type { HoldsAccess } from '../../src/ports/access-store.ts';
import { OWN_ACCOUNT } from '../../src/domain/access/shared-accounts.ts';
import { auditorOf, hurryOf } from './engine/audit.ts';
import { openWorld, type World } from './engine/world.ts';
import { tempDir } from './temp.ts';

export const TOKEN = 'a-token-of-the-test';

export interface ApiWorld {
  world: World;
  api: ReturnType<typeof createApi>;
  deps: ApiDeps;
  /** As whoever has the token of the server's folder. */
  client: UnixClient;
  socketPath: string;
  close(): Promise<void>;
}

const holdsAccess = (store: object): store is HoldsAccess => 'access' in store;

/** People sign in by the machine's clock, which a test may put forward; the engine's own runs ahead by itself. */
export const clockAhead = { ahead: 0, now: () => Date.now() + clockAhead.ahead };

const accessOf = ({ engine }: Pick<World, 'engine'>): ApiDeps['access'] => {
  const folder = tempDir('access');
  const sealedWith = { file: join(folder, 'secrets.json'), keyFile: join(folder, 'secrets.key') };
  const { store } = engine.deps;
  return accessDeps(holdsAccess(store) ? store : null, sealedWith, clockAhead);
};

/** What the API needs, of an engine in a world of fakes. */
export const apiDepsOf = ({ engine }: Pick<World, 'engine'>): Omit<ApiDeps, 'changes'> => ({
  engine,
  audit: auditorOf({ engine }),
  hurry: hurryOf(engine),
  redact: async (text) => text,
  access: accessOf({ engine }),
  accounts: {
    of: async ({ user = OWN_ACCOUNT, ...service }) => (user === 'dynamic' ? JSON.stringify(service) : user),
  },
  providers: [],
  webAddress: async () => null,
  secure: false,
  door: { publicOrigin: null, hosts: [], trusts: () => false },
  telemetry: {
    record: async () => {},
    edge: async () => [],
    instances: async () => [],
    maintain: async () => {},
    close: async () => {},
  },
  logs: { read: async function* () {}, maintain: async () => {} },
  parseProject: (value) => projectSchema.parse(value),
  token: TOKEN,
  server: { version: '0', pid: 1, startedAt: 0, home: '/home' },
  mayAnswer: () => {},
  standing: async () => ({ fence: 1, acts: true, store: 'file', controllers: [{ pid: 1, role: 'acts' }] }),
  checkDatabases: () => [],
  stopServer: () => {},
  restartEdge: async () => ({ ok: true, reason: '' }),
});

/** The API of an engine in a world of fakes, on a socket of its own. */
export async function openApiWorld(over: Partial<ApiDeps> = {}, handlers?: Handlers): Promise<ApiWorld> {
  const world = await openWorld();
  const socketPath = join(tempDir('api'), 'controller.sock');
  const changes = openChanges(world.engine);
  const deps = { ...apiDepsOf(world), changes, ...over };
  const api = createApi(deps, handlers);
  await api.listen({ path: socketPath });
  const client = unixClient({ socketPath, peer: 'The controller', token: TOKEN });
  return {
    world,
    api,
    deps,
    client,
    socketPath,
    async close() {
      client.close();
      changes.close();
      await api.close();
      await world.close();
    },
  };
}
