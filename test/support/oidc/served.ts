import { join } from 'node:path';
import Fastify from 'fastify';
import { onTestFinished } from 'vitest';
import { oidcRoutes } from '../../../src/api/routes/oidc.ts';
import { NOWHERE, type OidcProvider } from '../../../src/domain/access/elsewhere.ts';
import { SESSION_RULE } from '../../../src/domain/access/sessions.ts';
import { nodeCredentials } from '../../../src/drivers/access/credentials.ts';
import { oidcClient } from '../../../src/drivers/access/openid/oidc-client.ts';
import { fileSealer } from '../../../src/drivers/secrets/file-sealer.ts';
import type { AccessDeps } from '../../../src/engine/access/deps.ts';
import { createOidcSignIn, type OidcOutcome } from '../../../src/engine/access/oidc.ts';
import { newId } from '../../../src/platform/ids.ts';
import type { EvenkeelError } from '../../../src/ports/errors.ts';
import { openMemoryStore } from '../../../src/store/sqlite/open.ts';
import { freePort } from '../free-port.ts';
import { tempDir } from '../temp.ts';

export interface Served {
  readonly url: string;
  readonly deps: AccessDeps & { clock: { at: number; now(): number } };
  readonly told: (OidcOutcome | EvenkeelError)[];
  readonly warned: string[];
}

const SESSION = 'session';

export const sessionCookie = SESSION;

/** Only the routes of signing in elsewhere, with a store, on this machine. The first user is Ann. */
export async function serveOidc(providersAt: (redirectTo: string) => Promise<OidcProvider[]>): Promise<Served> {
  const folder = tempDir('oidc');
  const state = await openMemoryStore();
  onTestFinished(() => state.close());
  const sealer = fileSealer({ file: join(folder, 'secrets.json'), keyFile: join(folder, 'secrets.key') });
  const clock = { at: Date.now(), now: () => clock.at };
  const warned: string[] = [];
  const note = (_: object, message: string): void => void warned.push(message);
  const deps = {
    store: await state.access(),
    credentials: nodeCredentials({ sealer, issuer: 'evenkeel' }),
    clock,
    newId,
    rule: SESSION_RULE,
  };
  await deps.store.addFirstUser(
    { id: 'ann', login: 'ann@example.com', name: 'Ann', runsServer: true, createdAt: clock.at },
    { id: 'g1', by: 'first start' },
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const oidc = createOidcSignIn({
    ...deps,
    elsewhere: { ...NOWHERE, publicUrl: url, oidc: await providersAt(url) },
    client: oidcClient({ now: () => performance.now() }),
    sealer,
    log: { info: note, warn: note, error: note },
  });
  const told: Served['told'] = [];
  const api = Fastify({ forceCloseConnections: true });
  oidcRoutes(api, {
    oidc: async () => oidc,
    caller: ({ headers }) => ({
      address: '10.0.0.7',
      agent: headers['user-agent'] ?? null,
      cookie: new RegExp(`${SESSION}=([^;]+)`).exec(headers.cookie ?? '')?.[1] ?? null,
    }),
    opened: (reply, { cookie }) => void reply.header('set-cookie', `${SESSION}=${cookie}; SameSite=Strict`),
    told: async (_request, _provider, came) => void told.push(came),
    publicUrl: url,
    log: { error: note },
    home: folder,
  });
  for (const path of ['/', '/settings']) api.get(path, async () => 'the dashboard');
  await api.listen({ port, host: '127.0.0.1' });
  onTestFinished(() => api.close());
  return { url, deps, told, warned };
}

/** As it stands in `sign-in.yaml`, with what matters to a test said. */
export const provider = (over: Partial<OidcProvider> & Pick<OidcProvider, 'issuer'>): OidcProvider => ({
  id: 'company',
  name: 'Company',
  clientId: 'evenkeel',
  clientSecret: null,
  ca: null,
  login: 'email',
  trustsEmails: false,
  scopes: ['profile', 'email'],
  admits: 'linked',
  roles: [],
  ...over,
});
