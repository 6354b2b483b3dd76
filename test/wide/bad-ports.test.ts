import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

/** A program that is none of ours, and that answers nobody. */
async function stranger(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  });
  return server;
}

const left = async (project: string) =>
  (await system.status()).environments.find((each) => each.project === project)?.services[0]?.instances ?? [];

describe('a public port that a stranger has', () => {
  test('fails the first `up` in a fresh home, by its name, and leaves nothing running', async () => {
    const shop = await folder({ name: 'first' });
    const server = await stranger(shop.port);
    const refused = await system.cli(['up'], { cwd: shop.root });
    const said = told(refused);
    expect(refused.code, said).toBe(2);
    expect(said).toContain(`127.0.0.1:${shop.port}`);
    expect(said).toMatch(/in use|another program/);
    expect(said, 'what to do').toMatch(/stop|another port|`port`/);
    await waitFor(async () => (await left('first')).length === 0, { what: 'its instances to be gone' });

    server.close();
    await once(server, 'close');
    const up = await system.cli(['up'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });

  test('fails a deploy that moves there, and what serves goes on serving', async () => {
    const shop = await folder({ name: 'mover' });
    const up = await system.cli(['up'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(0);
    const taken = await freePort();
    await stranger(taken);
    shop.program(app('v2'));
    const file = readFileSync(`${shop.root}/evenkeel.yaml`, 'utf8');
    shop.write({ 'evenkeel.yaml': file.replace(`port: ${shop.port}`, `port: ${taken}`) });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toContain(`127.0.0.1:${taken}`);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    await waitFor(async () => (await left('mover')).every((each) => each.release === 'api@1'), {
      what: 'the new instances to be gone',
    });

    // The next one, back at the old port, is none the worse for it.
    shop.write({ 'evenkeel.yaml': file });
    const again = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(again.code, told(again)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v2' });
  });

  test('which belongs to another project of the same evenkeel, with the same route', async () => {
    const one = await folder({ name: 'one' });
    expect((await system.cli(['up'], { cwd: one.root })).code).toBe(0);
    const other = await folder({ name: 'other' });
    const file = readFileSync(`${other.root}/evenkeel.yaml`, 'utf8');
    other.write({ 'evenkeel.yaml': file.replace(`port: ${other.port}`, `port: ${one.port}`) });
    const refused = await system.cli(['up', '--json'], { cwd: other.root });
    expect(refused.code, told(refused)).toBe(1);
    expect(errorOf(refused)).toMatchObject({
      code: 'route-taken',
      what: expect.stringContaining('is taken by one/development/api'),
    });
    expect(await visit(one.port)).toMatchObject({ status: 200, version: 'v1' });
    expect(await left('other')).toEqual([]);
  });

  test('and a project name that another folder has', async () => {
    const one = await folder({ name: 'twice' });
    expect((await system.cli(['up'], { cwd: one.root })).code).toBe(0);
    const other = await folder({ name: 'twice' });
    const refused = await system.cli(['up', '--json'], { cwd: other.root });
    expect(refused.code, told(refused)).toBe(1);
    expect(errorOf(refused)).toMatchObject({
      code: 'project-elsewhere',
      where: one.root,
      next: expect.stringContaining('evenkeel down'),
    });
    expect(await visit(one.port)).toMatchObject({ status: 200, version: 'v1' });
  });

  test('and a project that was moved since: its new folder takes over, without any `down`', async () => {
    const shop = await folder({ name: 'moved' });
    expect((await system.cli(['up'], { cwd: shop.root })).code).toBe(0);
    const moved = `${shop.root}-moved`;
    renameSync(shop.root, moved);
    onTestFinished(() => rmSync(moved, { recursive: true, force: true }));
    const up = await system.cli(['up'], { cwd: moved });
    expect(up.code, told(up)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });

    // Who left a link behind may use either name.
    symlinkSync(moved, shop.root);
    expect((await system.cli(['up'], { cwd: shop.root })).code).toBe(0);
    expect((await system.cli(['up'], { cwd: moved })).code).toBe(0);
  });
});

describe('a public port that moves', () => {
  test('is open where the file says once it is promoted, alone or with another address, and goes back with a rollback', async () => {
    const shop = await folder({ name: 'moving' });
    const up = await system.cli(['up'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(0);
    const file = readFileSync(`${shop.root}/evenkeel.yaml`, 'utf8');
    const next = await freePort();
    shop.write({ 'evenkeel.yaml': file.replace(`port: ${shop.port}`, `port: ${next}`) });
    const moved = await system.cli(['up'], { cwd: shop.root });
    expect(moved.code, told(moved)).toBe(0);
    expect(moved.stdout).toContain(`In development, the public port is ${next}`);
    expect(await visit(next)).toMatchObject({ status: 200, version: 'v1' });
    expect((await visit(shop.port)).status).not.toBe(200);

    const back = await system.cli(['rollback', '--all'], { cwd: shop.root });
    expect(back.code, told(back)).toBe(0);
    await waitFor(async () => (await visit(shop.port)).status === 200, { what: 'the former port' });

    shop.write({ 'evenkeel.yaml': file.replace(`port: ${shop.port}`, `port: ${shop.port}\nbind: 0.0.0.0`) });
    expect((await system.cli(['down', '--yes'], { cwd: shop.root })).code).toBe(0);
    const everywhere = await system.cli(['up'], { cwd: shop.root });
    expect(everywhere.code, told(everywhere)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });
});
