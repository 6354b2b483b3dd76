import { Provider } from 'oidc-provider';
import { listen, type Loopback } from './loopback.ts';

export const CLIENT = { id: 'evenkeel', secret: 'a secret of the test: with=odd&characters' };

export type People = Record<string, Record<string, unknown>>;

/** A certified provider, which asks for name and consent on pages of its own. What `people` holds is what it says of them. */
export async function realProvider(
  people: People,
  redirectUris: readonly string[],
  host = '127.0.0.1',
): Promise<Loopback> {
  const listening = await listen();
  const loopback = { ...listening, url: listening.url.replace('127.0.0.1', host) };
  const { warn, info } = console;
  // It says at length that it is not set up for production.
  console.warn = console.info = () => undefined;
  try {
    const provider = new Provider(loopback.url, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: redirectUris,
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
      findAccount: (_: unknown, id: string) =>
        people[id] === undefined ? undefined : { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
      pkce: { required: () => true },
      cookies: { keys: ['a key of the test'] },
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
      features: { devInteractions: { enabled: true } },
    });
    loopback.server.on('request', provider.callback());
  } finally {
    Object.assign(console, { warn, info });
  }
  return loopback;
}
