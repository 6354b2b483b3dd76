import { join } from 'node:path';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BODY_LIMIT, OPEN_BODY_LIMIT } from '../../src/api/problems.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { send } from '../support/edge-harness.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';

/** Where the dashboard was built to. */
const BUILT = join(import.meta.dirname, '../../dist/web');

let it: WebWorld;
let ann: Somebody;

beforeAll(async () => {
  it = await openWebWorld({ dashboard: BUILT });
  ann = await peopleOf(it).somebody('ann', ['admin'], { runsServer: true });
}, 60_000);
afterAll(() => it.close());

interface Answered {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** How many replies there were on the connection, until it was closed. */
  replies: number;
}

/** Says these bytes on a connection of its own, and reads until it is closed or has been silent after a reply. */
function say(parts: Iterable<string | Buffer>, quietMs = 400): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(it.port, '127.0.0.1');
    let text = '';
    let quiet: NodeJS.Timeout | null = null;
    const done = (): void => {
      if (quiet !== null) clearTimeout(quiet);
      socket.destroy();
      const [head = '', ...rest] = text.split('\r\n\r\n');
      const [first = '', ...lines] = head.split('\r\n');
      const headers = lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]);
      const status = Number(first.split(' ')[1]);
      const replies = text.split(/^HTTP\/1\.1 \d{3} /m).length - 1;
      resolve({ status, headers: Object.fromEntries(headers), body: rest.join('\r\n\r\n'), replies });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (quiet !== null) clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    });
    socket.on('close', done);
    // Cut in the midst of what was still to be said: what was answered before counts.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      text === '' && error.code !== 'EPIPE' ? reject(error) : done(),
    );
    socket.on('connect', () => {
      for (const part of parts) if (socket.writable) socket.write(part);
    });
  });
}

const headed = (request: string, ...headers: string[]): string =>
  [request, `host: 127.0.0.1:${it.port}`, ...headers, '', ''].join('\r\n');
const signedIn = (): string => `cookie: ${ann.cookie}`;
const JSON_BODY = 'content-type: application/json';
const codeOf = ({ body }: { body: string }): unknown => /"code":"([^"]+)"/.exec(body)?.[1];

/** Whether the controller is as well as before. */
async function well(): Promise<void> {
  expect((await ann.ask('GET', 'rollouts')).status).toBe(200);
}

describe('a body that is too large', () => {
  const url = '/api/v1/projects/shop/environments/production/deploy';

  test('is refused before it is read, when it says its length', async () => {
    const answer = await say([
      headed(`POST ${url} HTTP/1.1`, signedIn(), JSON_BODY, `content-length: ${BODY_LIMIT + 1}`),
      '{',
    ]);
    expect([answer.status, codeOf(answer)]).toEqual([413, 'request-too-large']);
    await well();
  });

  test('is refused when it does not, as soon as it is', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const chunks = function* (): Generator<string | Buffer> {
      yield headed(`POST ${url} HTTP/1.1`, signedIn(), JSON_BODY, 'transfer-encoding: chunked');
      for (let sent = 0; sent < BODY_LIMIT * 2; sent += chunk.length)
        yield Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]);
    };
    const answer = await say(chunks());
    expect([answer.status, codeOf(answer)]).toEqual([413, 'request-too-large']);
    await well();
  });

  test('is a small one where anybody may ask', async () => {
    const body = JSON.stringify({ login: 'ann', password: 'x'.repeat(OPEN_BODY_LIMIT) });
    const reply = await send(
      { port: it.port, path: '/api/v1/session', method: 'POST', headers: { 'content-type': 'application/json' } },
      body,
    );
    expect([reply.status, codeOf(reply)]).toEqual([413, 'request-too-large']);
    expect(reply.body).toContain('16 KiB');
  });

  test('of somebody who is not known is not waited for', async () => {
    const answer = await say([headed(`POST ${url} HTTP/1.1`, JSON_BODY, `content-length: ${BODY_LIMIT}`), '{']);
    expect([answer.status, codeOf(answer)]).toEqual([401, 'unauthorized']);
  });
});

describe('what could be read in two ways', () => {
  const smuggled = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n';
  const post = 'POST /api/v1/session HTTP/1.1';

  test.each([
    ['two lengths', ['content-length: 2', 'content-length: 40']],
    ['two lengths alike', ['content-length: 2', 'content-length: 2']],
    ['a list of lengths', ['content-length: 2, 40']],
    ['a length and chunks', ['content-length: 2', 'transfer-encoding: chunked']],
    ['chunks in a way that not all know', ['transfer-encoding: chunked, identity']],
    ['chunks twice', ['transfer-encoding: chunked', 'transfer-encoding: chunked']],
    ['a length that is none', ['content-length: +2']],
    ['a length below nothing', ['content-length: -1']],
    ['a length with a sign of another base', ['content-length: 0x2']],
    ['a space before the colon', ['content-length : 2']],
    ['a line that goes on', ['x-a: b\r\n content-length: 40', 'content-length: 2']],
    ['a lone line feed', ['x-a: b\ncontent-length: 40', 'content-length: 2']],
    ['NUL in a header', ['x-a: b\0c', 'content-length: 2']],
  ])('is refused, and nothing behind it is answered: %s', async (_, headers) => {
    const answer = await say([headed(post, JSON_BODY, ...headers), '{}', smuggled]);
    expect([answer.status, answer.replies, codeOf(answer)]).toEqual([400, 1, 'bad-request']);
    expect(answer.headers).toMatchObject({ connection: 'close', 'x-content-type-options': 'nosniff' });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('is no host, or two of them', async () => {
    const none = await say(['GET /livez HTTP/1.1\r\n\r\n']);
    expect([none.status, none.replies]).toEqual([400, 1]);
    const two = await say([headed('GET /api/v1/session HTTP/1.1', 'host: other.example')]);
    expect([two.status, two.replies]).toEqual([400, 1]);
    for (const nobody of ['GET /api/v1/session HTTP/1.0\r\n\r\n', 'GET /api/v1/session HTTP/1.1\r\nhost:\r\n\r\n'])
      expect((await say([nobody])).status).toBe(421);
  });
});

describe('floods', () => {
  test('of headers end at a few thousand bytes', async () => {
    for (const headers of [
      Array.from({ length: 2_000 }, (_, index) => `x-${index}: ${'y'.repeat(20)}`),
      [`x-long: ${'y'.repeat(64 * 1024)}`],
      [`cookie: ${`${it.cookieName}=x; `.repeat(2_000)}`],
    ]) {
      const answer = await say([headed('GET /api/v1/session HTTP/1.1', ...headers)]);
      expect([answer.status, codeOf(answer)]).toEqual([431, 'request-too-large']);
    }
    await well();
  });

  test('of a query or a path do, too', async () => {
    const many = Array.from({ length: 1_500 }, (_, index) => `a${index}=1`).join('&');
    expect((await ann.ask('GET', `rollouts?${many}`)).status).toBe(200);
    expect((await ann.ask('GET', `rollouts?${'limit=1&'.repeat(1_500)}`)).status).toBe(400);
    const long = await say([headed(`GET /api/v1/rollouts/${'x'.repeat(64 * 1024)} HTTP/1.1`, signedIn())]);
    expect(long.status).toBe(431);
    expect((await ann.ask('GET', `rollouts/${'x'.repeat(9_000)}`)).code).toBe('bad-request');
    expect((await ann.ask('GET', 'x/'.repeat(3_000))).status).toBe(404);
    await well();
  });

  test('of requests in one go are answered in their order', async () => {
    const answer = await say(
      [headed('GET /livez HTTP/1.1').repeat(49), headed('GET /livez HTTP/1.1', 'connection: close')],
      20_000,
    );
    expect([answer.status, answer.replies]).toEqual([200, 50]);
  });
});

describe('a method', () => {
  test('that an operation does not have is told which there are', async () => {
    for (const [method, path, allow] of [
      ['POST', 'rollouts', 'GET, HEAD'],
      ['DELETE', 'tokens', 'GET, HEAD, POST'],
      ['PATCH', 'users/x', 'DELETE'],
      ['OPTIONS', 'rollouts', 'GET, HEAD'],
      ['TRACE', 'rollouts', 'GET, HEAD'],
      ['PROPFIND', 'rollouts', 'GET, HEAD'],
    ]) {
      const answer = await say([headed(`${method} /api/v1/${path} HTTP/1.1`, signedIn(), 'x-secret: swordfish')]);
      expect([method, answer.status, codeOf(answer)]).toEqual([method, 405, 'method-not-allowed']);
      expect(answer.headers).toMatchObject({ allow });
      // TRACE gives back what was sent where it is carried out, and with it what scripts cannot see.
      expect(answer.body).not.toContain('swordfish');
    }
  });

  test('that nobody knows is no request', async () => {
    for (const method of ['BREW', 'get', 'G ET', 'CONNECT']) {
      const answer = await say([headed(`${method} /api/v1/rollouts HTTP/1.1`, signedIn())]).catch(() => null);
      expect([method, answer === null || answer.status === 400 || Number.isNaN(answer.status)]).toEqual([method, true]);
    }
    await well();
  });

  test('of a browser that asks for another site whether it may, is not told so', async () => {
    const answer = await say([
      headed('OPTIONS /api/v1/rollouts HTTP/1.1', 'origin: http://evil.example', 'access-control-request-method: POST'),
    ]);
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('HEAD is GET without its body, and holds no stream', async () => {
    for (const path of ['/api/v1/rollouts', '/api/v1/events', '/livez', '/', '/api/v1/audit/export?format=csv']) {
      const answer = await say(
        [headed(`HEAD ${path} HTTP/1.1`, signedIn()), headed('GET /livez HTTP/1.1', 'connection: close')],
        20_000,
      );
      expect([path, answer.status, answer.replies]).toEqual([path, 200, 2]);
    }
    expect(it.deps.changes.readers).toBe(0);
  });
});

test('a path that is none is refused, and never leads to a file', async () => {
  for (const path of [
    '/%',
    '/%ff',
    '/%c0%ae%c0%ae/',
    '/api/v1/%',
    '/..%2f..%2fetc%2fpasswd',
    '/assets/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/%00',
    '/.git/config',
    '/assets/%2e%2e/index.html',
  ]) {
    const answer = await say([headed(`GET ${path} HTTP/1.1`, signedIn())]);
    expect([path, [400, 404].includes(answer.status)]).toEqual([path, true]);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.body).not.toMatch(/root:|"name": "evenkeel"/);
  }
  // As a proxy is asked.
  expect((await say([headed('GET http://evil.example/api/v1/rollouts HTTP/1.1', signedIn())])).status).not.toBe(200);
});

test('every kind of reply says to browsers what they must not make of it', async () => {
  const replies: Record<string, string[]> = {
    'a reply': ['GET /api/v1/rollouts', signedIn()],
    'a refusal': ['GET /api/v1/rollouts'],
    'what there is not': ['GET /api/v1/nothing', signedIn()],
    'the document': ['GET /openapi.json'],
    health: ['GET /livez'],
    numbers: ['GET /metrics', signedIn()],
    'a stream': ['GET /api/v1/events', signedIn()],
    'a download': ['GET /api/v1/audit/export?format=csv', signedIn()],
    'a foreign page': ['POST /api/v1/tokens', 'origin: http://evil.example', 'content-length: 0'],
    'another name': ['GET /api/v1/rollouts', 'x-a: b'],
    'a page': ['GET /'],
    'no page': ['GET /nothing.js'],
  };
  for (const [what, [first = '', ...headers]] of Object.entries(replies)) {
    const { headers: told } = await say([headed(`${first} HTTP/1.1`, ...headers)], 200);
    expect([what, told['x-content-type-options'], told['x-frame-options']]).toEqual([what, 'nosniff', 'DENY']);
    expect([what, told['referrer-policy']]).toEqual([what, 'no-referrer']);
    expect([what, told['content-security-policy']]).toEqual([what, expect.stringContaining("frame-ancestors 'none'")]);
    expect([what, told['content-security-policy']?.includes('unsafe')]).toEqual([what, false]);
    expect([what, told['access-control-allow-origin'], told['server'], told['x-powered-by']]).toEqual([
      what,
      undefined,
      undefined,
      undefined,
    ]);
  }
});
