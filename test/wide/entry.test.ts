import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import type { LogLine } from '../../src/api/contract/logs.ts';
import { app, folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem } from '../support/bad/shared-system.ts';
import { send } from '../support/edge-harness.ts';
import { basic } from '../support/edge-policy.ts';
import { json, releases, run } from '../support/features/command.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

describe('who is let in, from evenkeel.yaml to visitors', { timeout: 120_000 }, () => {
  test('holds at once, through deploys and rollbacks, and is written down', async () => {
    const judge = app(
      'judge',
      `answer = (q, r) => r.writeHead(q.headers['x-forwarded-uri'] === '/judged?in=1' ? 200 : 401, { 'remote-user': 'anna' }).end();`,
    );
    const echo = `answer = (q, r) => r.end(JSON.stringify({ version: VERSION, user: q.headers['remote-user'], trace: q.headers.traceparent }));`;
    const program = (version: string) => app(version, echo.replace('VERSION', JSON.stringify(version)));
    const more = '  judge: { run: node judge.js, health: { path: /health, interval: 100ms } }\n';
    const secured = {
      name: 'entry',
      services: `${more}secrets: [ANNA]\n`,
      service: ['limits: { body: 1Ki }', 'errorPages: { 404: pages/404.html }', 'access: { deny: 203.0.113.0/24 }'],
    };
    const routes = [
      '/open',
      '{ path: /in, access: { basicAuth: { users: { anna: ANNA } } } }',
      '{ path: /judged, access: { forwardAuth: { service: judge, headers: Remote-User } } }',
    ];
    const shop = await folder({
      ...secured,
      files: { 'main.js': program('v1'), 'judge.js': judge, 'pages/404.html': '<h1>lost</h1>' },
    });
    const write = (environment: string[], list = routes) => {
      shop.configure({ ...secured, environment });
      const text = readFileSync(join(shop.root, 'evenkeel.yaml'), 'utf8');
      shop.write({ 'evenkeel.yaml': text.replace('routes: [/]', `routes: [${list.join(', ')}]`) });
    };
    write(['trustedProxies: 127.0.0.1', 'accessLog: { sample: 100% }']);
    const visit = (path: string, headers: Record<string, string> = {}, body = '') =>
      send(
        { port: shop.port, path, method: body === '' ? 'GET' : 'POST', headers: { host: 'shop', ...headers } },
        body,
      );

    // Nobody would get in without the password being set, so nothing begins.
    const unset = await run(system, shop.root, ['up'], { code: 1 });
    expect(unset.stdout + unset.stderr).toMatch(/ANNA[^]*basicAuth/);
    await run(system, shop.root, ['secrets', 'set', 'ANNA'], { input: 'first-passw0rd' });
    await run(system, shop.root, ['up']);
    const { secrets } = await json<{ secrets: object[] }>(system, shop.root, ['secrets', 'list']);
    expect(secrets).toMatchObject([{ name: 'ANNA', usedBy: ['api'], behind: [] }]);
    expect((await visit('/open')).status).toBe(200);
    expect((await visit('/open', { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403);
    expect((await visit('/in')).status).toBe(401);
    expect((await visit('/in', basic('anna', 'first-passw0rd'))).status).toBe(200);
    expect((await visit('/judged')).status).toBe(401);
    expect(JSON.parse((await visit('/judged?in=1')).body)).toMatchObject({ user: 'anna' });
    expect((await visit('/open', {}, 'x'.repeat(2000))).status).toBe(413);
    expect((await visit('/nowhere', { accept: 'text/html' })).body).toBe('<h1>lost</h1>');

    // Another password holds by itself; the page is not read again from a folder where anything may happen.
    await run(system, shop.root, ['secrets', 'set', 'ANNA'], { input: 'second-passw0rd' });
    await waitFor(async () => (await visit('/in', basic('anna', 'second-passw0rd'))).status === 200, {
      what: 'the new password to hold',
    });
    expect((await visit('/in', basic('anna', 'first-passw0rd'))).status).toBe(401);
    shop.write({ 'pages/404.html': '<h1>changed</h1>' });
    await run(system, shop.root, ['server', 'restart']);
    expect((await visit('/nowhere', { accept: 'text/html' })).body).toBe('<h1>lost</h1>');
    expect((await visit('/in', basic('anna', 'second-passw0rd'))).status).toBe(200);

    await run(system, shop.root, ['up']);
    expect((await visit('/nowhere', { accept: 'text/html' })).body).toBe('<h1>changed</h1>');

    // A policy alone is no release, and holds when the command returns.
    const before = (await releases(system, shop.root)).length;
    write([
      'trustedProxies: 127.0.0.1',
      'accessLog: { sample: 100% }',
      'maintenance: { allow: 192.0.2.1, retryAfter: 7m }',
    ]);
    expect((await run(system, shop.root, ['up'])).stdout).toContain('what the edge lets in');
    expect(await releases(system, shop.root)).toHaveLength(before);

    expect((await run(system, shop.root, ['maintenance', 'on'])).stdout).toContain('Closed');
    const closed = await visit('/open');
    expect([closed.status, closed.headers['retry-after']]).toEqual([503, '420']);
    expect((await visit('/open', { 'x-forwarded-for': '192.0.2.1' })).status).toBe(200);
    // A deploy goes on behind the closed door, and does not open it.
    shop.write({ 'main.js': program('v2') });
    await run(system, shop.root, ['up']);
    expect((await visit('/open')).status).toBe(503);
    const status = await json<StatusReply>(system, shop.root, ['status', '--env', 'development']);
    expect(status.environments[0]?.closed?.services).toEqual(['api']);
    expect((await run(system, shop.root, ['status'])).stdout).toContain('closed for maintenance');
    const strange = await system.cli(['maintenance', 'on', 'judge', '--json'], { cwd: shop.root });
    expect(errorOf(strange)).toMatchObject({ code: 'service-unknown', next: 'one of: api' });
    expect((await run(system, shop.root, ['maintenance', 'off'])).stdout).toContain('is open');
    expect(JSON.parse((await visit('/open')).body)).toMatchObject({ version: 'v2' });

    // The file forgets the route; the release before, which has it, comes back. The door is still shut.
    write(['trustedProxies: 127.0.0.1', 'accessLog: { sample: 100% }'], ['/open']);
    await run(system, shop.root, ['up']);
    expect((await visit('/in')).status).toBe(404);
    await run(system, shop.root, ['rollback', 'api', '--yes']);
    expect((await visit('/in')).status).toBe(401);

    const lines = (await run(system, shop.root, ['logs', '--access', '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine)
      .map(({ line }) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ refusedBy }) => refusedBy === 'maintenance')).toMatchObject({ path: '/open', status: 503 });
    expect(lines.find(({ user }) => user === 'anna')).toMatchObject({ path: '/in', status: 200, service: 'api' });
    const shown = (await run(system, shop.root, ['logs', 'api', '--access', '--grep', 'judged'])).stdout;
    const last = (await run(system, shop.root, ['logs', 'api', '--access', '-n', '1', '--json'])).stdout
      .trim()
      .split('\n');
    expect(last).toHaveLength(1);
    expect(shown).toMatch(/200 GET shop\/judged .* api@1, from 127\.0\.0\.1/);

    // Nothing that evenkeel keeps or tells holds a password.
    expect(shown).not.toContain('in=1');
    for (const text of everything(system.paths.home)) expect(text).not.toMatch(/(first|second)-passw0rd/);
  });
});

/** The text of every file of a home. */
function* everything(folderName: string): Generator<string> {
  for (const entry of readdirSync(folderName, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).size < 5_000_000) yield readFileSync(file, 'latin1');
  }
}
