import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LinkView, MemberView, UserView } from '../../src/api/contract/people.ts';
import type { TokenView } from '../../src/api/contract/tokens.ts';
import { whyNoGuests } from '../../src/drivers/runtime/process/guests.ts';
import { folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { json, run } from '../support/features/command.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const here = tempDir('people');

const apart = process.getuid?.() === 0 ? await whyNoGuests() : 'this is not root';
if (apart !== null) console.warn(`skipped in part, programs cannot be started as other users here: ${apart}`);

/** Files of the home, and command lines, that hold a text. */
function whereIs(text: string): string[] {
  const files = readdirSync(system.paths.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const commands = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => `/proc/${pid}/cmdline`);
  return [...files, ...commands].filter((file) => {
    try {
      return readFileSync(file).includes(text);
    } catch {
      return false; // gone meanwhile
    }
  });
}

const people = (...args: string[]) => run(system, here, ['people', ...args]);
const asked = (url: string, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(`/api/v1/${path}`, url), init);

describe('people', { timeout: 120_000 }, () => {
  test('are invited, granted, and let in by a link that is printed once', async () => {
    await system.start();
    const invited = await people('invite', 'Ann@example.com', '--name', 'Ann', '--role', 'admin');
    const [url = '', ...rest] = invited.stdout.trim().split('\n');
    expect(rest).toEqual([]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/sign-in#link=\w{52}$/);
    expect(invited.stderr).toContain('ann@example.com is a member of default as admin.');

    const opened = await asked(url, 'session/link', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ link: url.split('#link=')[1] }),
    });
    expect(await opened.json()).toMatchObject({ state: 'signed-in', who: { name: 'ann@example.com' } });
    expect(whereIs(url.split('#link=')[1] ?? '-')).toEqual([]);

    await people('invite', 'ben', '--role', 'viewer', '--json');
    await people('grant', 'ben', 'operator', '--env', 'stag*', '--project', 'shop');
    const { people: members } = await json<{ people: MemberView[] }>(system, here, ['people']);
    expect(members.map(({ user, grants }) => [user.login, grants.map(({ role }) => role)])).toEqual([
      ['ann@example.com', ['admin']],
      ['ben', ['operator', 'viewer']],
    ]);
    expect((await people()).stdout).toMatch(/ben +no +never +operator shop\/stag\*, viewer everywhere/);
    const wrong = await system.cli(['people', 'revoke', 'ben', 'operator', '--json'], { cwd: here });
    expect(errorOf(wrong)).toMatchObject({ code: 'grant-unknown', why: expect.stringContaining('shop/stag*') });
    await people('revoke', 'ben', 'operator', '--env', 'stag*', '--project', 'shop');
    const { link } = await json<{ link: LinkView }>(system, here, ['people', 'link', 'ben', '--invitation']);
    expect(link.path).toMatch(/^\/sign-in#link=/);
    const unknown = await system.cli(['people', 'grant', 'eve', 'viewer', '--json'], { cwd: here });
    expect(errorOf(unknown)).toMatchObject({ code: 'member-unknown' });
    await people('disable', 'ben');
    await people('enable', 'ben');
    await people('runs-server', 'ann@example.com');
    const { users } = await json<{ users: UserView[] }>(system, here, ['people', '--all']);
    expect(users).toMatchObject([{ login: 'ann@example.com', runsServer: true }, { disabledAt: null }]);
    await people('remove', 'ben', '--yes');
    await people('remove', 'ben', '--everywhere', '--yes');
  });

  test('have tokens: one line on the standard output, and nowhere else', async () => {
    const made = await run(system, here, [
      ...['tokens', 'create', 'ci', '--user', 'ann@example.com'],
      ...['--permissions', 'people:read,environment:read', '--expires', '30d'],
    ]);
    const text = made.stdout.trim();
    expect(text).toMatch(/^ek_\w{8}_\w{52}$/);
    expect(made.stderr).toContain('people:read, environment:read everywhere');
    const { url } = (await system.get<{ dashboard: { url: string } }>('/api/v1/server')).dashboard;
    const headers = { authorization: `Bearer ${text}` };
    expect((await asked(url, 'organizations/default/people', { headers })).status).toBe(200);
    expect((await asked(url, 'organizations/default/roles', { headers })).status).toBe(403);
    expect(whereIs(text)).toEqual([]);
    const listed = await run(system, here, ['tokens']);
    expect(listed.stdout).toMatch(/ek_\w{8} +ci +ann@example\.com/);
    expect(listed.stdout).not.toContain(text);
    const [token] = (await json<{ tokens: TokenView[] }>(system, here, ['tokens', '--user', 'ann@example.com'])).tokens;
    expect(token).toMatchObject({ usedFrom: '127.0.0.1' });
    const lasts = (token?.expiresAt ?? 0) - (token?.createdAt ?? 0);
    expect(Math.round(lasts / 86_400_000)).toBe(30);
    expect(errorOf(await system.cli(['tokens', 'create', 'mine', '--json'], { cwd: here }))).toMatchObject({
      code: 'token-needs-user',
    });
    expect(
      errorOf(
        await system.cli(['tokens', 'create', 'x', '--permissions', 'environment:deplay', '--json'], { cwd: here }),
      ),
    ).toMatchObject({
      code: 'usage',
      next: expect.stringContaining('environment:deploy'),
    });
    await run(system, here, ['tokens', 'revoke', token?.prefix ?? '', '--yes']);
    expect((await asked(url, 'organizations/default/people', { headers })).status).toBe(401);
  });

  test('have roles of their organization’s own', async () => {
    await run(system, here, ['roles', 'set', 'releaser', 'environment:read', 'environment:deploy']);
    expect((await run(system, here, ['roles'])).stdout).toMatch(
      /releaser {2}of your own\n +environment:deploy, environment:read/,
    );
    const wrong = await system.cli(['roles', 'set', 'x', 'environment:deplay', '--json'], { cwd: here });
    expect(errorOf(wrong)).toMatchObject({ code: 'usage', next: expect.stringContaining('environment:deploy') });
    await run(system, here, ['roles', 'remove', 'releaser', '--yes']);
  });
});

describe.skipIf(apart !== null)('organizations on one machine', { timeout: 180_000 }, () => {
  test('have no service that another one’s could read, and are told what to do about it', async () => {
    const quick = { window: '1s' };
    const shop = await folder({ ...quick, name: 'shop' });
    const blog = await folder({ ...quick, name: 'blog' });
    for (const { root } of [shop, blog]) await run(system, root, ['up']);
    const { organization } = await json<{ organization: { id: string } }>(system, here, [
      ...['organizations', 'create', 'Acme Ltd'],
    ]);
    const move = () => system.cli(['organizations', 'move', 'blog', 'Acme Ltd', '--yes', '--json'], { cwd: here });
    expect(errorOf(await move())).toMatchObject({
      code: 'service-needs-user',
      next: expect.stringContaining('dynamic'),
    });
    for (const each of [shop, blog]) {
      each.configure({ ...quick, name: each.project, service: ['user: dynamic'] });
      await run(system, each.root, ['deploy', '--wait', 'complete']);
    }
    // The former release goes when its window is over.
    await waitFor(async () => (await move()).code === 0, { what: 'blog to move', timeout: 60_000, interval: 500 });

    expect((await run(system, here, ['organizations'])).stdout).toMatch(/Acme Ltd +\w+ +\S+ \S+ +blog\n/);
    expect((await run(system, here, ['people', '--organization', 'Acme Ltd'])).stdout).toContain('Nobody is a member');
    for (const each of [shop, blog]) {
      expect(await visit(each.port)).toMatchObject({ status: 200 });
      each.configure({ ...quick, name: each.project });
      const refused = await system.cli(['deploy', '--json'], { cwd: each.root });
      expect(errorOf(refused)).toMatchObject({ code: 'service-needs-user' });
    }
    blog.configure({ ...quick, name: 'blog', service: ['user: www-data'] });
    await run(system, blog.root, ['deploy', '--wait', 'complete']);
    shop.configure({ ...quick, name: 'shop', service: ['user: www-data'] });
    const shared = await system.cli(['deploy', '--json'], { cwd: shop.root });
    expect(errorOf(shared)).toMatchObject({ code: 'user-shared' });
    expect(
      errorOf(await system.cli(['organizations', 'remove', organization.id, '--yes', '--json'], { cwd: here })),
    ).toMatchObject({
      code: 'organization-in-use',
    });
  });
});
