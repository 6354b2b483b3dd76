import { describe, expect, test } from 'vitest';
import type { DeployReply } from '../../src/api/contract/deploys.ts';
import { openSystem, projectFolder, type System, writeFiles } from '../support/system.ts';
import { pathOf } from '../support/evenkeel-home.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const server = (version: string, extra = ''): string => `
const { createServer } = require('node:http');
${extra}
const server = createServer((request, response) => {
  response.setHeader('x-app-version', '${version}');
  response.end('${version}');
}).listen(process.env.PORT, process.env.HOST);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

const file = (port: number, rollout = ''): string => `
project: shop
port: ${port}
services:
  api:
    run: node main.js
    health: { path: /health, interval: 200ms }
    routes: [/]
environments:
  development:
    rollout: { rollbackWindow: 5m, drain: 1s${rollout} }
`;

/** Over a connection of its own: one that was open to an edge that is killed cannot be saved. */
const ask = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
const promoted = (system: System, id: string) =>
  system.reach(id, (rollout) => rollout.phase === 'watching' || rollout.end !== null, 'promotion');

describe('a service in a folder', { timeout: 120_000 }, () => {
  test('goes up, is replaced without a canary, and is taken back at once', async () => {
    const system = openSystem();
    const port = await freePort();
    const root = projectFolder({ 'evenkeel.yaml': file(port), 'main.js': server('v1') });
    await system.start();
    expect(await promoted(system, await system.deploy(root))).toMatchObject({ phase: 'watching', end: null });
    expect(await ask(port)).toBe('v1');

    writeFiles(root, { 'main.js': server('v2') });
    expect(await promoted(system, await system.deploy(root))).toMatchObject({ phase: 'watching', end: null });
    expect(await ask(port)).toBe('v2');

    const back = await system.post<DeployReply>(`${pathOf('shop', 'development')}/rollback`, {
      service: 'api',
    });
    expect(back.message).toContain('api@1 has all traffic again');
    expect(await ask(port)).toBe('v1');
    const status = await system.status();
    expect(status.environments[0]?.services[0]).toMatchObject({ release: 'api@1', health: 'healthy' });
  });

  test('that crashes at its start fails, says why, and leaves the former one serving', async () => {
    const system = openSystem();
    const port = await freePort();
    const root = projectFolder({ 'evenkeel.yaml': file(port), 'main.js': server('v1') });
    await system.start();
    await promoted(system, await system.deploy(root));
    writeFiles(root, { 'main.js': 'process.exit(7)' });
    const failed = await system.deploy(root);
    const ended = await system.reach(failed, (rollout) => rollout.end !== null && rollout.settled, 'its end');
    expect(ended).toMatchObject({ end: 'failed' });
    expect(ended.reason).toContain('exit code 7');
    expect(await ask(port)).toBe('v1');
    const instances = (await system.status()).environments[0]?.services[0]?.instances ?? [];
    expect(instances.map((each) => each.release)).toEqual(['api@1']);
  });

  test('is served on while the controller, the edge or the keeper is killed, and all of them come back', async () => {
    const system = openSystem();
    const port = await freePort();
    const root = projectFolder({ 'evenkeel.yaml': file(port), 'main.js': server('v1') });
    await system.start();
    await promoted(system, await system.deploy(root));
    for (const victim of ['controller', 'edge', 'keeper'] as const) {
      const before = (await system.keeperInfo())[victim];
      process.kill(before?.pid ?? 0, 'SIGKILL');
      expect(await ask(port)).toBe('v1');
      await waitFor(
        async () => {
          const now = (await system.keeperInfo())[victim];
          return now !== null && now.pid !== before?.pid && (await system.status()).environments.length === 1;
        },
        { what: `another ${victim}`, timeout: 30_000 },
      );
      expect(await ask(port)).toBe('v1');
    }
  });
});
