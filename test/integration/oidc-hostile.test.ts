import { beforeEach, describe, expect, test } from 'vitest';
import { Browser, type Page } from '../support/oidc/browser.ts';
import { type MadeIssuer, madeIssuer, newKey, signedByPublicKey, unsigned } from '../support/oidc/made-issuer.ts';
import { provider, type Served, serveOidc } from '../support/oidc/served.ts';

let issuer: MadeIssuer;
let served: Served;
let browser: Browser;

beforeEach(async () => {
  issuer = await madeIssuer();
  browser = new Browser();
  served = await serveOidc(async () => [
    provider({ issuer: issuer.url, clientSecret: 'hush', admits: { emails: ['@example.com'] } }),
  ]);
});

const codeOn = (page: Page): string | undefined => /class="code">([\w-]+)</.exec(page.text)?.[1];

const bob = { email: 'bob@example.com', email_verified: true };

/** Begins, and comes back from the provider with a code. Answers what became of it: a code of ours, or `in`. */
async function round(
  token: (asked: URLSearchParams) => Promise<string> | string,
  over = '',
): Promise<string | undefined> {
  const page = await browser.go(`${served.url}/sign-in/oidc/company`, { until: '/authorize' });
  if (page.status !== 0) return codeOn(page);
  const asked = new URL(page.url).searchParams;
  issuer.idToken = () => token(asked);
  const back = await browser.go(`${asked.get('redirect_uri')}?code=c&state=${asked.get('state')}${over}`);
  return back.url === `${served.url}/` ? 'in' : codeOn(back);
}

const nonceOf = (asked: URLSearchParams): string => asked.get('nonce') ?? '';

test('an honest token of this round opens a session; PKCE, state and nonce are there', async () => {
  let seen = new URLSearchParams();
  const came = await round((asked) => {
    seen = asked;
    return issuer.sign({ ...bob, nonce: nonceOf(asked) });
  });
  expect(came).toBe('in');
  expect(Object.fromEntries(seen)).toMatchObject({
    response_type: 'code',
    client_id: 'evenkeel',
    scope: 'openid profile email',
    code_challenge_method: 'S256',
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    state: expect.stringMatching(/^\w{52}$/),
    nonce: expect.stringMatching(/^\w{52}$/),
    redirect_uri: `${served.url}/sign-in/oidc/company/callback`,
  });
});

describe('no session comes of a token', () => {
  const claims = (asked: URLSearchParams) => {
    const now = Math.floor(Date.now() / 1000);
    return { ...bob, iss: issuer.url, aud: 'evenkeel', sub: 'bob', nonce: nonceOf(asked), iat: now, exp: now + 600 };
  };

  test.each<[string, (asked: URLSearchParams) => Promise<string> | string]>([
    ['with another nonce', () => issuer.sign({ ...bob, nonce: 'another' })],
    ['without a nonce', () => issuer.sign(bob)],
    ['for another client', (asked) => issuer.sign({ ...claims(asked), aud: 'another' })],
    ['for several, made for another', (asked) => issuer.sign({ ...claims(asked), aud: ['evenkeel', 'b'], azp: 'b' })],
    ['of another issuer', (asked) => issuer.sign({ ...claims(asked), iss: 'https://evil.example.com' })],
    ['that has expired', (asked) => issuer.sign({ ...claims(asked), exp: Math.floor(Date.now() / 1000) - 60 })],
    ['of nobody', (asked) => issuer.sign({ ...claims(asked), sub: undefined })],
    ['that is not signed', (asked) => unsigned(claims(asked))],
    ['signed with the public key as a secret', (asked) => signedByPublicKey(issuer.keys[0] as never, claims(asked))],
    ['signed with a key of nobody', async (asked) => issuer.sign(claims(asked), { key: await newKey('first') })],
    ['that is none', () => 'eyJhbGciOiJSUzI1NiJ9.e30'],
  ])('%s', async (_, token) => {
    expect(await round(token)).toBe('oidc-reply-refused');
    expect(await served.deps.store.users()).toHaveLength(1);
  });

  test('after an answer in the name of another issuer', async () => {
    const honest = (asked: URLSearchParams) => issuer.sign({ ...bob, nonce: nonceOf(asked) });
    expect(await round(honest, '&iss=https%3A%2F%2Fevil.example.com')).toBe('oidc-reply-refused');
    expect(await round(honest, `&iss=${encodeURIComponent(issuer.url)}`)).toBe('in');
  });
});

describe('an issuer that names addresses', () => {
  const honest = (asked: URLSearchParams) => issuer.sign({ ...bob, nonce: nonceOf(asked) });

  test.each([
    ['token_endpoint', 'http://169.254.169.254/latest/meta-data'],
    ['token_endpoint', 'https://169.254.169.254/latest/meta-data'],
    ['jwks_uri', 'http://[fe80::1]/keys'],
    ['jwks_uri', 'http://10.0.0.1/keys'],
    ['token_endpoint', 'ftp://127.0.0.1/token'],
  ])('%s at %s is not followed', async (name, address) => {
    issuer.discovery[name] = address;
    expect(await round(honest)).toBe('issuer-address-refused');
  });

  test('sends nobody to what is no page', async () => {
    issuer.discovery['authorization_endpoint'] = 'javascript:alert(1)';
    const page = await browser.go(`${served.url}/sign-in/oidc/company`);
    expect(codeOn(page)).toBe('issuer-address-refused');
    expect(browser.visited).toHaveLength(1);
  });

  test('leads nowhere by redirects', async () => {
    issuer.keysReply = { status: 302, headers: { location: '/other' } };
    expect(await round(honest)).toBe('issuer-away');
    expect(issuer.asked('/other')).toBe(0);
  });

  test('is not another than it was named', async () => {
    issuer.discovery['issuer'] = `${issuer.url}/`;
    expect(await round(honest)).toBe('issuer-mistaken');
    expect(served.warned.join()).toContain('calls itself by another name');
  });
});

test('an issuer that answers nonsense is asked once in a while, however many want in', async () => {
  issuer.discovery = { nothing: true };
  const codes = await Promise.all(
    Array.from({ length: 8 }, async () => codeOn(await new Browser().go(`${served.url}/sign-in/oidc/company`))),
  );
  expect(new Set(codes)).toEqual(new Set(['oidc-reply-refused']));
  expect(issuer.asked('/.well-known/openid-configuration')).toBe(1);
});

test('who fails again and again from one address has to wait, and is asked no more of the issuer', async () => {
  const wrong = () => issuer.sign({ ...bob, nonce: 'another' });
  let came: string | undefined;
  let rounds = 0;
  while (came !== 'sign-in-limited' && rounds < 40) {
    came = await round(wrong);
    rounds++;
  }
  expect(came).toBe('sign-in-limited');
  const asked = issuer.asked('/token');
  await round(wrong);
  expect(issuer.asked('/token')).toBe(asked);
});
