import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { edgeTraffic } from '../../src/drivers/traffic/edge/edge-traffic.ts';
import { probeRequest } from '../../src/engine/probes.ts';
import { project } from '../support/engine/world.ts';
import { aDeployment, releaseOf } from '../support/rollout/releases.ts';

const ask = (bind: string, over = {}) =>
  probeRequest(
    releaseOf('api@1', { routes: [{ host: 'chat.example', path: '/' }], ...over }),
    [aDeployment('api')],
    project([], { bind, port: 8080 }).environment,
  );

describe('the request that proves a switch', () => {
  test('goes to the address that the environment binds, where only that one listens', () => {
    expect(ask('192.0.2.7')).toMatchObject({ address: '192.0.2.7', port: 8080, host: 'chat.example' });
    expect(ask('::1')).toMatchObject({ address: '::1' });
    for (const every of ['0.0.0.0', '::', '127.0.0.1']) expect(ask(every)).toMatchObject({ address: null });
  });

  test('is sent there', async () => {
    const server = createServer((request, response) => {
      response.setHeader('evenkeel-release', 'api@1');
      response.end(request.headers.host);
    }).listen(0, '127.0.0.2');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const traffic = edgeTraffic({ socketPath: '/nowhere', probeToken: 'secret' });
    const request = { port, host: 'chat.example', method: 'GET', path: '/', timeoutMs: 5_000 };
    try {
      expect(await traffic.probe({ ...request, address: '127.0.0.2' })).toEqual({
        status: 200,
        release: 'api@1',
        body: 'chat.example',
      });
      await expect(traffic.probe({ ...request, address: null })).rejects.toMatchObject({
        code: 'probe-failed',
        where: `127.0.0.1:${port}`,
        retryable: true,
      });
    } finally {
      traffic.close();
      server.close();
      await once(server, 'close');
    }
  });
});
