import { beforeEach, describe, expect, test } from 'vitest';
import type { OidcProvider, RoleRule } from '../../src/domain/access/elsewhere.ts';
import { recogniseCookie } from '../../src/engine/access/recognise.ts';
import { Browser, type Page } from '../support/oidc/browser.ts';
import type { Loopback } from '../support/oidc/loopback.ts';
import { CLIENT, type People, realProvider } from '../support/oidc/real-provider.ts';
import { provider, type Served, serveOidc, sessionCookie } from '../support/oidc/served.ts';

let people: People;
let issuer: Loopback;
let browser: Browser;

beforeEach(() => {
  people = { bob: { email: 'bob@example.com', email_verified: true, name: 'Bob', groups: ['ops'] } };
  browser = new Browser();
});

/** Whole: our routes, our store, and a provider on this machine. */
const open = (over: Partial<OidcProvider> = {}): Promise<Served> =>
  serveOidc(async (url) => {
    issuer = await realProvider(
      people,
      ['company', 'other'].map((id) => `${url}/sign-in/oidc/${id}/callback`),
    );
    const known = { issuer: issuer.url, clientId: CLIENT.id, clientSecret: CLIENT.secret, ...over };
    return [provider(known), provider({ ...known, id: 'other' })];
  });

const start = (served: Served, query = ''): Promise<Page> => browser.go(`${served.url}/sign-in/oidc/company${query}`);

async function signIn(served: Served, login: string, until?: string): Promise<Page> {
  return browser.signInAtProvider(await start(served), login, until);
}

const whoIsIn = async ({ deps, url }: Served) => {
  const cookie = browser.cookie(url, sessionCookie);
  return cookie === undefined ? null : ((await recogniseCookie(deps, cookie))?.who ?? null);
};

const codeOn = (page: Page): string | undefined => /class="code">([\w-]+)</.exec(page.text)?.[1];

const rule = (value: string, over: Partial<RoleRule> = {}): RoleRule => ({
  when: { claim: 'groups', value },
  role: 'operator',
  organization: 'default',
  project: '*',
  environment: 'staging',
  ...over,
});

const listed = { emails: ['@example.com'] };

describe('who gets in', () => {
  test('by default nobody whose account no user has linked', async () => {
    const served = await open();
    const page = await signIn(served, 'bob');
    expect(codeOn(page)).toBe('sign-in-refused');
    expect(page.text).toContain('only linked accounts are let in');
    expect(await whoIsIn(served)).toBeNull();
    expect(served.told).toMatchObject([{ code: 'sign-in-refused' }]);
  });

  test('whoever has a listed address that is verified: as a new user, once', async () => {
    const served = await open({ admits: listed });
    expect(await signIn(served, 'bob')).toMatchObject({ status: 200, url: `${served.url}/`, text: 'the dashboard' });
    const first = await whoIsIn(served);
    expect(first).toMatchObject({ kind: 'user', name: 'bob@example.com', runsServer: false, memberships: [] });
    expect(await served.deps.store.identities(first?.id ?? '')).toMatchObject([{ issuer: issuer.url, subject: 'bob' }]);
    browser = new Browser();
    await signIn(served, 'bob');
    expect((await whoIsIn(served))?.id).toBe(first?.id);
    expect(served.told).toMatchObject([
      { as: 'signed-in', isNew: true },
      { as: 'signed-in', isNew: false },
    ]);
  });

  test('nobody with a listed address that is not verified', async () => {
    people['bob'] = { email: 'bob@example.com', email_verified: false };
    const served = await open({ admits: listed });
    expect(codeOn(await signIn(served, 'bob'))).toBe('email-unverified');
    expect(await served.deps.store.users()).toHaveLength(1);
  });

  test('whoever was invited by that name, unless they have come already by other means', async () => {
    people['eve'] = { email: 'ann@example.com', email_verified: true };
    const served = await open({ admits: 'invited' });
    const { store } = served.deps;
    await store.addUser({ id: 'b', login: 'bob@example.com', name: 'Bob', runsServer: false, createdAt: 1 });
    await signIn(served, 'bob');
    expect(await whoIsIn(served)).toMatchObject({ id: 'b' });
    // Ann runs the server: nobody becomes her by an address.
    browser = new Browser();
    const page = await signIn(served, 'eve');
    expect(codeOn(page)).toBe('sign-in-refused');
    expect(page.text).toContain('There is a user of that name already');
    // An address that has changed its owner opens nothing of the former one.
    browser = new Browser();
    people['bob2'] = { email: 'bob@example.com', email_verified: true };
    expect(codeOn(await signIn(served, 'bob2'))).toBe('sign-in-refused');
  });

  test('whoever was invited, unless another account of that issuer is theirs', async () => {
    const served = await open({ admits: 'invited' });
    const { store } = served.deps;
    await store.addUser({ id: 'b', login: 'bob@example.com', name: 'Bob', runsServer: false, createdAt: 1 });
    await store.linkIdentity({ issuer: issuer.url, subject: 'the right one', user: 'b', linkedAt: 1 });
    expect(codeOn(await signIn(served, 'bob'))).toBe('sign-in-refused');
  });

  test('nobody who is disabled, and they keep what they had', async () => {
    const served = await open({ roles: [rule('ops')] });
    const { store } = served.deps;
    await store.addUser({ id: 'b', login: 'bob', name: 'Bob', runsServer: false, createdAt: 1 });
    await store.linkIdentity({ issuer: issuer.url, subject: 'bob', user: 'b', linkedAt: 1 });
    await store.setDisabled('b', 2);
    expect(codeOn(await signIn(served, 'bob'))).toBe('sign-in-refused');
    expect(await whoIsIn(served)).toBeNull();
    expect(await store.members('default')).toHaveLength(1);
  });
});

describe('linking', () => {
  test('who is signed in links an account, and comes in by it from then on', async () => {
    const served = await open();
    const { deps, url } = served;
    const { text, hash } = deps.credentials.newSecret();
    const at = deps.clock.at;
    await deps.store.addSession(
      {
        id: 's',
        hash,
        user: 'ann',
        method: 'password',
        address: null,
        agent: null,
        createdAt: at,
        seenAt: at,
        expiresAt: at + 3_600_000,
      },
      { replaces: null },
    );
    browser.setCookie(url, sessionCookie, text);
    const page = await browser.signInAtProvider(await start(served, '?link'), 'bob');
    expect(page).toMatchObject({ url: `${url}/settings`, status: 200 });
    expect(await deps.store.identities('ann')).toMatchObject([{ issuer: issuer.url, subject: 'bob' }]);
    browser = new Browser();
    await signIn(served, 'bob');
    expect(await whoIsIn(served)).toMatchObject({ id: 'ann' });
  });

  test('needs a sign-in of the last hour: whoever finds a screen open does not stay', async () => {
    const served = await open();
    const { deps, url } = served;
    const { text, hash } = deps.credentials.newSecret();
    const at = deps.clock.at;
    const times = { createdAt: at - 3_600_000, seenAt: at, expiresAt: at + 3_600_000 };
    await deps.store.addSession(
      { id: 's', hash, user: 'ann', method: 'password', address: null, agent: null, ...times },
      { replaces: null },
    );
    browser.setCookie(url, sessionCookie, text);
    expect(codeOn(await start(served, '?link'))).toBe('sign-in-stale');
  });

  test('is for nobody who is not signed in, and not for pages of other sites', async () => {
    const served = await open();
    expect(codeOn(await start(served, '?link'))).toBe('unauthorized');
    const foreign = await fetch(`${served.url}/sign-in/oidc/company?link`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status).toBe(403);
  });
});

describe('roles by claims', () => {
  const grantsOf = async ({ deps }: Served) =>
    (await deps.store.members('default'))
      .filter(({ user }) => user.login === 'bob@example.com')
      .flatMap(({ grants }) =>
        grants.map((each) => `${each.role} ${each.project}/${each.environment} ${each.grantedBy}`),
      );

  test('are given at each sign-in and taken away again; what people gave stays', async () => {
    const served = await open({
      admits: listed,
      roles: [rule('ops'), rule('leads', { role: 'admin', environment: '*' }), rule('ops', { role: 'no-such-role' })],
    });
    await signIn(served, 'bob');
    expect(await grantsOf(served)).toEqual(['operator */staging oidc:company']);
    expect(served.warned.join()).toContain('no-such-role');
    const user = (await whoIsIn(served))?.id ?? '';
    const grant = { id: 'g2', organization: 'default', user, role: 'viewer', project: 'shop', environment: '*' };
    await served.deps.store.addGrant({ ...grant, grantedBy: 'ann', grantedAt: 1 });
    people['bob'] = { ...people['bob'], groups: ['leads'] };
    browser = new Browser();
    await signIn(served, 'bob');
    expect(await grantsOf(served)).toEqual(['admin */* oidc:company', 'viewer shop/* ann']);
    people['bob'] = { ...people['bob'], groups: [] };
    browser = new Browser();
    await signIn(served, 'bob');
    expect(await grantsOf(served)).toEqual(['viewer shop/* ann']);
  });

  test('whoever has none left is no member any more', async () => {
    const served = await open({ admits: listed, roles: [rule('ops')] });
    await signIn(served, 'bob');
    expect(await served.deps.store.members('default')).toHaveLength(2);
    people['bob'] = { ...people['bob'], groups: 'none' };
    browser = new Browser();
    await signIn(served, 'bob');
    expect(await served.deps.store.members('default')).toHaveLength(1);
  });
});

describe('an answer counts', () => {
  test('only in the browser that asked', async () => {
    const served = await open({ admits: listed });
    const { url } = await signIn(served, 'bob', '/callback');
    browser = new Browser();
    expect(codeOn(await browser.go(url))).toBe('oidc-not-begun');
    browser.setCookie(served.url, 'evenkeel-oidc', 'v1.made.up');
    expect(codeOn(await browser.go(url))).toBe('oidc-not-begun');
  });

  test('once, also when somebody keeps the cookie', async () => {
    const served = await open({ admits: listed });
    const { url } = await signIn(served, 'bob', '/callback');
    const kept = browser.cookie(served.url, 'evenkeel-oidc') ?? '';
    await browser.go(url);
    expect(browser.cookie(served.url, 'evenkeel-oidc')).toBeUndefined();
    expect(codeOn(await browser.go(url))).toBe('oidc-not-begun');
    browser.setCookie(served.url, 'evenkeel-oidc', kept);
    expect(codeOn(await browser.go(url))).toBe('oidc-replayed');
  });

  test('only for what was asked: another state, two of them, another provider', async () => {
    const served = await open({ admits: listed });
    const { url } = await signIn(served, 'bob', '/callback');
    const kept = browser.cookie(served.url, 'evenkeel-oidc') ?? '';
    const changed = async (change: (to: URL) => void): Promise<string | undefined> => {
      const other = new URL(url);
      change(other);
      browser.setCookie(served.url, 'evenkeel-oidc', kept);
      return codeOn(await browser.go(other.href));
    };
    expect(await changed((to) => to.searchParams.set('state', 'another'))).toBe('oidc-state-wrong');
    expect(await changed((to) => to.searchParams.delete('state'))).toBe('oidc-state-wrong');
    expect(await changed((to) => to.searchParams.append('state', 'another'))).toBe('oidc-state-wrong');
    expect(await changed((to) => (to.pathname = to.pathname.replace('company', 'other')))).toBe('oidc-not-begun');
    expect(await changed((to) => (to.pathname = to.pathname.replace('company', 'nobody')))).toBe('provider-unknown');
    // It is still good for what it was made for.
    browser.setCookie(served.url, 'evenkeel-oidc', kept);
    expect((await browser.go(url)).url).toBe(`${served.url}/`);
  });

  test('for ten minutes', async () => {
    const served = await open({ admits: listed });
    const { url } = await signIn(served, 'bob', '/callback');
    served.deps.clock.at += 10 * 60_000;
    expect(codeOn(await browser.go(url))).toBe('oidc-not-begun');
  });

  test('with a code that was not used, and not by another issuer (RFC 9207)', async () => {
    const served = await open({ admits: listed });
    const used = new URL((await signIn(served, 'bob', '/callback')).url);
    await browser.go(used.href);
    const again = new URL((await browser.go(`${served.url}/sign-in/oidc/company`, { until: '/callback' })).url);
    again.searchParams.set('code', used.searchParams.get('code') ?? '');
    expect(codeOn(await browser.go(again.href))).toBe('oidc-code-refused');
    const mixed = new URL((await browser.go(`${served.url}/sign-in/oidc/company`, { until: '/callback' })).url);
    mixed.searchParams.set('iss', 'https://evil.example.com');
    expect(codeOn(await browser.go(mixed.href))).toBe('oidc-reply-refused');
  });
});

describe('what the other side says', () => {
  test('that the person did not want to', async () => {
    const served = await open();
    const page = await start(served);
    const abort = /href="([^"]+\/abort)"/.exec(page.text)?.[1] ?? '';
    const refused = await browser.go(new URL(abort, page.url).href);
    expect(codeOn(refused)).toBe('oidc-refused');
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('access_denied');
  });

  test('that it does not know evenkeel: those who run the server find why in the log', async () => {
    const served = await open({ clientSecret: 'another' });
    expect(codeOn(await signIn(served, 'bob'))).toBe('oidc-client-refused');
    expect(served.warned.join()).toContain('does not take evenkeel for the client');
    expect(JSON.stringify(served.told)).not.toContain('"another"');
  });

  test('nothing, since it is away: once in a while it is asked again, however many want in', async () => {
    const served = await open();
    await issuer.stop();
    for (let i = 0; i < 5; i++) {
      const page = await start(served);
      expect(page.status).toBe(503);
      expect(codeOn(page)).toBe('issuer-away');
    }
    expect(await served.deps.store.users()).toHaveLength(1);
  });
});

test('pages of refusals hold nothing that somebody else wrote, and run nothing', async () => {
  const served = await open();
  const page = await start(served);
  const { searchParams } = new URL(page.url);
  expect(searchParams.has('x')).toBe(false);
  const kept = browser.cookie(served.url, 'evenkeel-oidc') ?? '';
  expect(kept).not.toBe('');
  const hostile = await browser.go(
    `${served.url}/sign-in/oidc/company/callback?error=<script>alert(1)</script>&error_description=<b>x`,
  );
  expect(hostile.text).not.toMatch(/<script|<b>/);
  expect(hostile.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(hostile.headers.get('referrer-policy')).toBe('no-referrer');
  const unknown = await browser.go(`${served.url}/sign-in/oidc/%3Cscript%3E`);
  expect(unknown.status).toBe(404);
  expect(unknown.text).not.toContain('<script');
  expect((await browser.go(`${served.url}/sign-in/oidc.css`)).headers.get('content-type')).toContain('text/css');
});
