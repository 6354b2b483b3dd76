import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { Browser } from '../support/oidc/browser.ts';
import { madeIssuer } from '../support/oidc/made-issuer.ts';
import { CLIENT, realProvider } from '../support/oidc/real-provider.ts';
import { openSystem } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

interface Session {
  state: string;
  who?: { kind: string; name: string };
  organizations?: { id: string; permissions: string[] }[];
  providers?: { id: string; name: string }[];
}

test(
  'a server with a sign-in.yaml: people come by a provider, programs by tokens, and what either does is audited',
  { timeout: 120_000 },
  async () => {
    const system = openSystem();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const people = { bob: { email: 'bob@example.com', email_verified: true, groups: ['ops'] } };
    const company = await realProvider(people, [`${url}/sign-in/oidc/company/callback`]);
    const machines = await madeIssuer();
    mkdirSync(system.paths.home, { mode: 0o700 });
    writeFileSync(
      system.paths.signIn,
      `publicUrl: ${url}
oidc:
  company:
    name: Example Ltd
    issuer: ${company.url}
    clientId: ${CLIENT.id}
    clientSecret: { env: OIDC_SECRET }
    admits: { emails: ["@example.com"] }
    roles: [{ claim: groups, value: ops, role: operator }]
bearer:
  machines:
    issuer: ${machines.url}
    audience: evenkeel
    roles: [{ claim: scope, value: watch, role: viewer }]
`,
    );
    Object.assign(system.env, { EVENKEEL_DASHBOARD: String(port), OIDC_SECRET: CLIENT.secret });
    await system.start();
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const reply = await fetch(`${url}/api/v1/${path}`, { headers });
      return { status: reply.status, body: (await reply.json()) as Session & { code?: string; detail?: string } };
    };
    await waitFor(async () => (await fetch(`${url}/livez`)).ok, { what: 'the dashboard' });
    expect((await ask('session')).body).toMatchObject({
      state: 'anonymous',
      providers: [{ id: 'company', name: 'Example Ltd' }],
    });

    const browser = new Browser();
    const end = await browser.signInAtProvider(await browser.go(`${url}/sign-in/oidc/company`), 'bob');
    expect(end).toMatchObject({ url: `${url}/`, status: 200 });
    const cookie = browser.cookies(url);
    expect(cookie).toMatch(/^evenkeel-[0-9a-f]{8}=\w+$/);
    const { body } = await ask('session', { cookie });
    expect(body).toMatchObject({ state: 'signed-in', who: { kind: 'user', name: 'bob@example.com' } });
    expect(body.organizations?.[0]?.permissions).toContain('environment:deploy');

    const bearer = async (claims: Record<string, unknown>) => ({
      authorization: `Bearer ${await machines.sign(claims)}`,
    });
    const watcher = await ask('session', await bearer({ scope: 'watch' }));
    expect(watcher.body).toMatchObject({ state: 'signed-in', who: { kind: 'bearer', name: 'machines:bob' } });
    expect((await ask('session', await bearer({ exp: 1 }))).body).toMatchObject({
      code: 'unauthorized',
      detail: 'it has expired',
    });

    const { acts } = await system.get<{ acts: { operation: string; who: string; result: string; input: unknown }[] }>(
      '/api/v1/audit',
    );
    expect(acts).toContainEqual(
      expect.objectContaining({
        operation: 'signInElsewhere',
        who: 'bob@example.com',
        result: 'done',
        input: { name: 'company' },
      }),
    );
    for (const log of ['controller.log', 'keeper.log'])
      expect(readFileSync(join(system.paths.logs, log), 'utf8')).not.toContain('a secret of the test');
  },
);

test('a server with a sign-in.yaml that is wrong works without it, and says where the mistake is', async () => {
  const system = openSystem();
  mkdirSync(system.paths.home, { mode: 0o700 });
  writeFileSync(system.paths.signIn, 'oidc:\n  company:\n    isuer: https://id.example.com\n');
  await system.start();
  expect((await system.get<Session>('/api/v1/session')).state).toBe('signed-in');
  expect(readFileSync(join(system.paths.logs, 'controller.log'), 'utf8')).toContain(
    'sign-in.yaml:3:5  oidc.company.isuer',
  );
  const { stdout, code } = await system.cli(['doctor', '--json'], { cwd: tempDir('elsewhere') });
  expect(code).toBe(1);
  expect((JSON.parse(stdout) as { findings: { check: string; what: string }[] }).findings).toContainEqual(
    expect.objectContaining({ check: 'sign-in', what: expect.stringContaining('did you mean "issuer"') }),
  );
});
