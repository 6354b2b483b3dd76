import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { connectionsAt } from '../support/third-party/connections.ts';
import type { DocumentCounts } from '../support/third-party/document-users.ts';
import { CAREFULLY, INSTALL, PublishedServer } from '../support/third-party/published-server.ts';
import { spawnUsers } from '../support/third-party/spawn-users.ts';
import { summary } from '../support/third-party/summary.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const OLD = '1.5.4';
const NEW = '2.1.0';
const WRITERS = 30;
const USERS = fileURLToPath(new URL('../support/third-party/document-main.ts', import.meta.url));

const file = (port: number): string => `
project: documents
port: ${port}
services:
  sync:
    build: ${INSTALL}
    run: node_modules/.bin/y-websocket
    health: { path: /, interval: 500ms, deadline: 60s }
    routes: [/]
${CAREFULLY}`;

test(`y-websocket ${OLD} becomes ${NEW} and goes back, and no edit is lost`, { timeout: 300_000 }, async () => {
  const port = await freePort();
  const server = await PublishedServer.create(`y-websocket-${OLD}`, { 'evenkeel.yaml': file(port) });
  const clientFolder = await installedClient(server);
  /** The version that a release's instance runs from its own folder, and the connections that it holds. */
  const copies = async () => {
    const service = (await server.system.status()).environments[0]?.services[0];
    return (service?.instances ?? []).map(({ pid, port: own }) => ({
      version: versionIn(`/proc/${pid}/cwd`),
      connections: connectionsAt(own ?? 0),
    }));
  };
  /** Waits until one version holds every writer's WebSocket, and no other version has one. */
  const allOn = (version: string) => {
    let all: Awaited<ReturnType<typeof copies>> = [];
    return waitFor(
      async () => {
        all = await copies();
        const others = all.filter((copy) => copy.version !== version);
        const own = all.find((copy) => copy.version === version);
        return (own?.connections ?? 0) >= WRITERS && others.every((copy) => copy.connections < WRITERS / 3);
      },
      { what: `all WebSockets on ${version}`, timeout: 30_000, interval: 200 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(all)}`, { cause: error });
    });
  };

  await server.run('up');
  const users = await spawnUsers<DocumentCounts>(USERS, { port, rate: 40, timeoutMs: 10_000, clientFolder });
  await allOn(OLD);

  server.upgradeTo(`y-websocket-${NEW}`);
  const deployed = await server.run('deploy', 'sync');
  await allOn(NEW);
  const promotion = await server.promotion(deployed.id);
  expect(await server.weights(deployed.id)).toEqual(expect.arrayContaining([10, 50]));
  expect(promotion.canaryRequests).toBeGreaterThan(60);

  const back = await server.run('rollback', 'sync');
  await allOn(OLD);
  await sleep(2000);
  const report = await users.stop();

  const { edits, lostEdits, visits, openAtTheEnd, ws } = report;
  console.log(
    summary(`y-websocket ${OLD} -> ${NEW} -> ${OLD}`, {
      deploy: deployed,
      rollback: back,
      promotion,
      report,
      more: { edits, lostEdits, visits, openAtTheEnd, WebSockets: JSON.stringify(ws) },
    }),
  );
  expect(report.examples).toEqual([]);
  expect(report.failed).toBe(0);
  expect(edits).toBeGreaterThan(1000);
  expect(lostEdits).toBe(0);
  expect(openAtTheEnd).toBe(WRITERS);
  // Every one of them moved to the new version and back, was told so, and came back at the first try.
  expect(ws.reconnects).toBeGreaterThanOrEqual(2 * WRITERS);
  expect(Object.keys(ws.closes).filter((code) => code !== '1001' && code !== '1012')).toEqual([]);
});

/** The users' own copy of the client, as a page would have bundled it. */
async function installedClient(server: PublishedServer): Promise<string> {
  const folder = tempDir('client');
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(server.root, name), join(folder, name));
  const [command = '', ...args] = INSTALL.split(' ');
  await promisify(execFile)(command, args, { cwd: folder, env: server.system.env });
  return folder;
}

function versionIn(folder: string): string {
  const manifest = readFileSync(join(folder, 'node_modules/y-websocket/package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
