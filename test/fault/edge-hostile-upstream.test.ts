import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { raw } from '../support/edge-client.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { freePort } from '../support/free-port.ts';

/** An instance that writes what `say` says, as it is. Requests are told apart by their first line alone. */
async function rawServer(say: (path: string, socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const path = /^[A-Z]+ (\S+) /.exec(data.toString('latin1'))?.[1];
      if (path !== undefined) say(path, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function behindEdge(say: (path: string, socket: Socket) => void, env: Record<string, string> = {}) {
  const edge = new EdgeHarness(env);
  await edge.start();
  const [port, instance] = [await freePort(), await rawServer(say)];
  await edge.set(
    1,
    service('api', port, [{ release: 'api@1', weight: 100, ports: [instance] }], {
      health: { path: null, graceMs: 1_000, intervalMs: 200, timeoutMs: 500 },
    }),
  );
  await edge.healthy(`api@1-${instance}`);
  return { edge, port };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('an instance that does not keep to HTTP', () => {
  const bad = [
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nraw bytes'],
    ['a 101 without a protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a transfer coding that would be lost', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nzipped'],
    ['a status that is none', 'HTTP/1.1 042 Odd\r\ncontent-length: 2\r\n\r\nok'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: 1\r\n x-b: 2\r\ncontent-length: 2\r\n\r\nok'],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
    ['HTTP/0.9', '<html>hello</html>'],
    ['silence', ''],
  ] as const;
  test.each(bad)('is a 502, and nothing of it is kept for the next request: %s', async (_name, text) => {
    const { edge, port } = await behindEdge((path, socket) => {
      if (path === '/good') socket.write(OK);
      else socket.end(text, 'latin1');
    });
    await send({ port, path: '/good' });
    expect((await send({ port, path: '/bad', method: 'POST' })).status).toBe(502);
    expect((await send({ port, path: '/good' })).body).toBe('ok');
    expect((await edge.release('api@1')).inFlight).toBe(0);
    expect(edge.log).not.toContain('unexpected');
  });

  const unasked = [
    ['a second reply', `${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`],
    ['half of a second reply', `${OK}HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nevil`],
    ['the beginning of a second reply', `${OK}HTTP/1.1 200 OK\r\nx-evil: `],
    ['a body longer than it said', `${OK}, and more`],
  ] as const;
  test.each(unasked)('what it says unasked reaches nobody: %s', async (_name, text) => {
    const { port } = await behindEdge((path, socket) => socket.write(path === '/good' ? OK : text));
    for (let i = 0; i < 3; i++) {
      expect((await send({ port, path: '/bad' })).body).toBe('ok');
      const next = await send({ port, path: '/good' });
      expect([next.status, next.body, next.headers['x-evil']]).toEqual([200, 'ok', undefined]);
    }
  });

  test('trailers announced for a reply that can have none', async () => {
    const { port } = await behindEdge((path, socket) =>
      socket.write(
        path === '/chunked'
          ? 'HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ncontent-length: 2\r\n\r\nok',
      ),
    );
    expect((await send({ port })).body).toBe('ok');
    expect(await raw(port, 'GET /chunked HTTP/1.0\r\nhost: x\r\n\r\n')).toMatch(/\r\n\r\nok$/);
    expect(await raw(port, 'GET /chunked HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(
      /trailer: x-sum\r\n[^]*\r\n0\r\nx-sum: 1\r\n\r\n$/i,
    );
  });

  test('odd bytes in a status line and in headers pass or fail, and never harm the edge', async () => {
    const { edge, port } = await behindEdge((path, socket) => {
      const at = Number(path.slice(2));
      const odd = String.fromCharCode(at);
      if (path.startsWith('/m')) socket.end(`HTTP/1.1 200 O${odd}K\r\ncontent-length: 2\r\n\r\nok`, 'latin1');
      else if (path.startsWith('/v'))
        socket.end(`HTTP/1.1 200 OK\r\nx-a: 1${odd}2\r\ncontent-length: 2\r\n\r\nok`, 'latin1');
      else if (path.startsWith('/n'))
        socket.end(`HTTP/1.1 200 OK\r\nx${odd}a: 1\r\ncontent-length: 2\r\n\r\nok`, 'latin1');
      else
        socket.end(
          `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx: 1${odd}2\r\n\r\n`,
          'latin1',
        );
    });
    const paths = ['m', 'v', 'n', 't'].flatMap((kind) =>
      [0, 1, 7, 9, 11, 12, 27, 31, 32, 127, 128, 160, 255].map((at) => `/${kind}${at}`),
    );
    for (const path of paths) {
      const answer = await raw(port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      // Once a reply has begun all that is left is to break it off.
      expect(answer, path).toMatch(path.startsWith('/t') ? /^(HTTP\/1\.1 200 |$)/ : /^HTTP\/1\.1 (200|502) /);
    }
    expect(edge.log).not.toContain('unexpected');
    expect((await edge.release('api@1')).inFlight).toBe(0);
  });

  test('a reply in ten thousand pieces for a client that reads late', async () => {
    const pieces = 200_000;
    const { edge, port } = await behindEdge((_path, socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      socket.write('1\r\nx\r\n'.repeat(pieces));
      socket.end('0\r\n\r\n');
    });
    const { body } = await send({ port });
    expect(body.length).toBe(pieces);
    expect(edge.log).not.toContain('Warning');
  });
});
