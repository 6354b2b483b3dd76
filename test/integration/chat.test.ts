import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CHAT_SECRET, copyChat, launch, runChat, startChat } from '../support/chat-system.ts';
import type { Started } from '../support/chat-system.ts';
import { mintToken } from '../support/load/session.ts';
import { waitFor } from '../support/wait.ts';

const WELCOME_CREDITS = 20;

describe('the migration', () => {
  test('may run again and several times at once, and health says what is missing until it has run', async () => {
    const folder = copyChat();
    await runChat(folder, 'api/migrate.js');
    const database = new DatabaseSync(join(folder, 'storage/chat.db'));
    for (const table of ['ledger', 'messages', 'accounts', 'schema_migrations']) database.exec(`drop table ${table}`);
    database.close();

    const api = await startChat(folder, 'api/main.js');
    const before = await fetch(`${api.url}/api/health`);
    expect(before.status).toBe(503);
    expect(await before.json()).toMatchObject({ ok: false, reason: expect.stringContaining('schema_migrations') });

    const runs = await Promise.all([1, 2, 3].map(() => runChat(folder, 'api/migrate.js')));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(runs.filter(({ output }) => output.includes('nothing to do'))).toHaveLength(2);
    const after = await fetch(`${api.url}/api/health`);
    expect(after.status).toBe(200);
  });

  test('may make a database from nothing several times at once', async () => {
    const folder = copyChat();
    const runs = await Promise.all([1, 2, 3].map(() => runChat(folder, 'api/migrate.js')));
    expect(runs.map(({ code, output }) => (code === 0 ? 0 : output))).toEqual([0, 0, 0]);
  });
});

describe('a message', () => {
  test('costs one credit, and says how long each step took and which release answered', async () => {
    const { api } = await startSystem();
    const ann = user(api, 'ann');
    const posted = await ann.post('/api/messages', { text: 'hello wide world' });
    expect(posted.status).toBe(201);
    expect(await posted.json()).toMatchObject({
      version: 'v1',
      message: { id: 1, user: 'ann', text: 'hello wide world' },
    });
    const steps = (posted.headers.get('server-timing') ?? '').split(', ').map((step) => step.split(';')[0]);
    expect(steps).toEqual(['auth', 'credits', 'model', 'db']);
    expect(posted.headers.get('x-app-version')).toBe('v1');
    expect(await ann.balance()).toBe(WELCOME_CREDITS - 1);
    expect(await messages(api)).toMatchObject([{ id: 1, text: 'hello wide world' }]);
    expect(await messages(api, '?since=1')).toEqual([]);
  });

  test('is refused with 402 when no credit is left, however many come at once', async () => {
    const { api } = await startSystem();
    const ann = user(api, 'ann');
    const replies = await Promise.all(
      Array.from({ length: WELCOME_CREDITS + 7 }, () => ann.post('/api/messages', { text: 'now' })),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(WELCOME_CREDITS);
    expect(replies.filter(({ status }) => status === 402)).toHaveLength(7);
    expect(await ann.balance()).toBe(0);
    expect(await messages(api)).toHaveLength(WELCOME_CREDITS);

    expect((await ann.post('/api/credits', { amount: 1 })).status).toBe(200);
    expect((await ann.post('/api/messages', { text: 'again' })).status).toBe(201);
    expect((await ann.post('/api/messages', { text: 'and again' })).status).toBe(402);
  });

  test('costs nothing when the model fails', async () => {
    const { api, model } = await startSystem();
    const ann = user(api, 'ann');
    model.child.kill('SIGKILL');
    await model.ended;
    expect((await ann.post('/api/messages', { text: 'anyone?' })).status).toBe(502);
    expect(await ann.balance()).toBe(WELCOME_CREDITS);
    expect(await messages(api)).toEqual([]);
  });

  test('is stored with its credit taken, or not at all, when the instance is killed', async () => {
    const { api, folder, model } = await startSystem();
    const ann = user(api, 'ann');
    await ann.post('/api/credits', { amount: 10_000 });
    const stored = new Set<number>();
    const writers = Array.from({ length: 8 }, async () => {
      while (api.child.exitCode === null) {
        const reply = await ann.post('/api/messages', { text: 'quick' }).catch(() => undefined);
        if (!reply) return;
        const body = (await reply.json().catch(() => undefined)) as { message: { id: number } } | undefined;
        if (body) stored.add(body.message.id);
      }
    });
    await waitFor(() => stored.size > 40, { what: 'some messages' });
    api.child.kill('SIGKILL');
    await api.ended;
    await Promise.all(writers);

    const again = await startChat(folder, 'api/main.js', { MODEL_URL: model.url });
    expect((await fetch(`${again.url}/api/health`)).status).toBe(200);
    const database = new DatabaseSync(join(folder, 'storage/chat.db'), { readOnly: true });
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    const count = number('select count(*) from messages');
    expect(number('select count(*) from ledger where delta = -1')).toBe(count);
    expect(number('select balance from accounts')).toBe(number('select sum(delta) from ledger'));
    expect(number('select balance from accounts')).toBe(10_000 + WELCOME_CREDITS - count);
    const ids = new Set(
      database
        .prepare('select id from messages')
        .all()
        .map(({ id }) => Number(id)),
    );
    expect([...stored].filter((id) => !ids.has(id))).toEqual([]);
    database.close();
    expect((await user(again, 'ann').post('/api/messages', { text: 'still here' })).status).toBe(201);
  });
});

describe('the balance', () => {
  test('comes from a cache that another instance, too, makes forget it', async () => {
    const { api, folder, model } = await startSystem();
    const other = await startChat(folder, 'api/main.js', { MODEL_URL: model.url });
    const here = user(api, 'ann');
    const there = user(other, 'ann');
    await here.post('/api/credits', { amount: 5 });
    expect(await here.balance()).toBe(WELCOME_CREDITS + 5);

    // Behind everybody's back, so that only the cache can still know the former value. The news of its own change reach
    // it, too, a moment later, and make it forget once.
    const database = new DatabaseSync(join(folder, 'storage/chat.db'), { timeout: 5000 });
    onTestFinished(() => database.close());
    let stored = WELCOME_CREDITS + 5;
    const knowsBetter = async (): Promise<boolean> => {
      const known = await here.balance();
      database.prepare('update accounts set balance = ?').run(--stored);
      return (await here.balance()) === known;
    };
    await waitFor(knowsBetter, { what: 'the cache to answer' });

    await there.post('/api/credits', { amount: 1 });
    await waitFor(async () => (await here.balance()) === stored + 1, { what: 'the other instance to notice' });
  });

  test('of nothing is never taken from the cache: who has just paid elsewhere is let in', async () => {
    const { api, folder, model } = await startSystem();
    const other = await startChat(folder, 'api/main.js', { MODEL_URL: model.url });
    const here = user(api, 'ann');
    const there = user(other, 'ann');
    for (let left = WELCOME_CREDITS; left > 0; left -= 1) await here.post('/api/messages', { text: 'on it' });
    expect((await here.post('/api/messages', { text: 'more' })).status).toBe(402);
    await there.post('/api/credits', { amount: 1 });
    expect((await here.post('/api/messages', { text: 'more' })).status).toBe(201);
  });
});

test('a token must be signed with the secret, by HS256, and be valid now', async () => {
  const { api } = await startSystem();
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const status = async (authorization: string) =>
    (await fetch(`${api.url}/api/balance`, { headers: { authorization } })).status;
  const good = mintToken('ann', CHAT_SECRET);
  const [header, claims, signature] = good.split('.');
  expect(await status(`Bearer ${good}`)).toBe(200);
  expect(await status('')).toBe(401);
  expect(await status(`Bearer ${mintToken('ann', 'another secret')}`)).toBe(401);
  expect(await status(`Bearer ${header}.${encode({ sub: 'bob' })}.${signature}`)).toBe(401);
  expect(await status(`Bearer ${encode({ alg: 'none' })}.${claims}.`)).toBe(401);
  const now = Date.now();
  expect(await status(`Bearer ${mintToken('ann', CHAT_SECRET, now - 2 * 86_400_000)}`)).toBe(401);
});

test('bad input is answered with what is wrong with it, and the connection goes on', async () => {
  const { api } = await startSystem();
  const ann = user(api, 'ann');
  const reply = async (response: Promise<Response>) => {
    const { status } = await response;
    const { error } = (await (await response).json()) as { error: { code: string } };
    return `${status} ${error.code}`;
  };
  expect(await reply(ann.send('POST', '/api/messages', '{"text":'))).toBe('400 bad-json');
  expect(await reply(ann.send('POST', '/api/messages', '[1]'))).toBe('400 bad-json');
  expect(await reply(ann.post('/api/messages', { text: '  ' }))).toBe('400 bad-text');
  expect(await reply(ann.post('/api/messages', { text: 'x'.repeat(2001) }))).toBe('400 bad-text');
  expect(await reply(ann.post('/api/messages', { text: 'x'.repeat(20_000) }))).toBe('413 too-large');
  expect(await reply(ann.send('POST', '/api/upload', Buffer.alloc(1024 * 1024 + 1)))).toBe('413 too-large');
  expect(await reply(ann.post('/api/credits', { amount: 0.5 }))).toBe('400 bad-amount');
  expect(await reply(fetch(`${api.url}/api/messages?since=x`))).toBe('400 bad-since');
  expect(await reply(fetch(`${api.url}/api/slow?ms=99999`))).toBe('400 bad-ms');
  expect(await reply(fetch(`${api.url}/api/nothing`))).toBe('404 not-found');
});

test('an upload of one mebibyte is answered with its length and digest', async () => {
  const { api } = await startSystem();
  const body = Buffer.alloc(1024 * 1024, 'evenkeel');
  const reply = await user(api, 'ann').send('POST', '/api/upload', body);
  expect(await reply.json()).toMatchObject({
    length: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  });
});

test('a guest gets a token that works', async () => {
  const { api } = await startSystem();
  const reply = await fetch(`${api.url}/api/guest`, { method: 'POST' });
  const { token } = (await reply.json()) as { token: string };
  const balance = await fetch(`${api.url}/api/balance`, { headers: { authorization: `Bearer ${token}` } });
  expect(await balance.json()).toMatchObject({ balance: WELCOME_CREDITS });
});

test('a bad release throws for its share of requests, and its health check does not notice', async () => {
  const { folder } = await startSystem();
  const file = join(folder, 'api/release.js');
  writeFileSync(file, readFileSync(file, 'utf8').replace("'v1'", "'v3'").replace('errorRate = 0;', 'errorRate = 0.5;'));
  const bad = await startChat(folder, 'api/main.js');
  const statuses = new Set<number>();
  await waitFor(
    async () => {
      const reply = await fetch(`${bad.url}/api/version`);
      expect(reply.headers.get('x-app-version')).toBe('v3');
      return statuses.add(reply.status).size === 2;
    },
    { what: 'both good and bad replies' },
  );
  expect(statuses).toEqual(new Set([200, 500]));
  for (let i = 0; i < 10; i += 1) expect((await fetch(`${bad.url}/api/health`)).status).toBe(200);
  expect(bad.output()).toContain('v3 has a bug');
});

test('an API without a secret does not start, and says why', async () => {
  const { ended, output } = launch(copyChat(), 'api/main.js', { JWT_SECRET: '' });
  expect(await ended).toBe(1);
  expect(output()).toContain('set JWT_SECRET');
});

async function startSystem(): Promise<{ folder: string; api: Started; model: Started }> {
  const folder = copyChat();
  const migrated = await runChat(folder, 'api/migrate.js');
  expect(migrated.code, migrated.output).toBe(0);
  const model = await startChat(folder, 'model/main.js');
  const api = await startChat(folder, 'api/main.js', { MODEL_URL: model.url });
  return { folder, api, model };
}

function user({ url }: Started, name: string) {
  const authorization = `Bearer ${mintToken(name, CHAT_SECRET)}`;
  const send = (method: string, path: string, body?: string | Buffer<ArrayBuffer>) =>
    fetch(`${url}${path}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) });
  return {
    send,
    post: (path: string, value: unknown) => send('POST', path, JSON.stringify(value)),
    async balance() {
      const { balance } = (await (await send('GET', '/api/balance')).json()) as { balance: number };
      return balance;
    },
  };
}

async function messages({ url }: Started, query = ''): Promise<{ id: number; text: string }[]> {
  const reply = (await (await fetch(`${url}/api/messages${query}`)).json()) as {
    messages: { id: number; text: string }[];
  };
  return reply.messages;
}
