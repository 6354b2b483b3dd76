import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readHello } from '../../src/edge/acme/client-hello.ts';

/** What a real client sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [NodeJS.Socket & { destroy(): void }];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  return bytes;
}

describe('the first message of a handshake', () => {
  test('tells the host and the protocols, in any version and however it is cut', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const both = { minVersion: version, maxVersion: version };
      const bytes = await helloOf({ ...both, servername: 'A.Example', ALPNProtocols: ['acme-tls/1', 'h2'] });
      expect(readHello(bytes)).toEqual({ host: 'a.example', protocols: ['acme-tls/1', 'h2'] });
      for (let length = 0; length < bytes.length; length++)
        expect(readHello(bytes.subarray(0, length)), `${length} of ${bytes.length}`).toBe('more');
      expect(readHello(Buffer.concat([bytes, Buffer.from('more of it')]))).toEqual(readHello(bytes));
      expect(readHello(await helloOf({ ...both, servername: '' }))).toEqual({ host: null, protocols: [] });
    }
    expect(readHello(Buffer.from('GET / HTTP/1.1\r\n'))).toBe('other');
  });

  test('may be anything at all', async () => {
    const bytes = await helloOf({ servername: 'a.example', ALPNProtocols: ['acme-tls/1'] });
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 });
    fc.assert(
      fc.property(changes, (list) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of list) changed[at] = value;
        const reading = readHello(changed);
        expect(typeof reading === 'string' ? ['more', 'other'] : [reading]).toContain(reading);
      }),
      { numRuns: 2_000 },
    );
    const junk = fc.uint8Array({ maxLength: 400 }).map((tail) => Buffer.concat([Buffer.from([22, 3, 1]), tail]));
    fc.assert(fc.property(junk, (value) => void readHello(value)));
  });
});
