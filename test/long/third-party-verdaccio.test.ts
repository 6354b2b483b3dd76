import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RegistryCounts } from '../support/third-party/registry-users.ts';
import { CAREFULLY, INSTALL, PublishedServer } from '../support/third-party/published-server.ts';
import { spawnUsers } from '../support/third-party/spawn-users.ts';
import { summary } from '../support/third-party/summary.ts';
import { writeFiles } from '../support/system.ts';
import { freePort } from '../support/free-port.ts';

const OLD = '5.33.0';
const NEW = '6.10.4';
const USERS = fileURLToPath(new URL('../support/third-party/registry-main.ts', import.meta.url));

const file = (port: number): string => `
project: packages
port: ${port}
services:
  registry:
    build: ${INSTALL}
    run: node_modules/.bin/verdaccio --listen 127.0.0.1:$PORT --config ./config.yaml
    health: { path: /-/ping, interval: 500ms, deadline: 60s }
    routes: [/]
    data: [storage]
${CAREFULLY}`;

/** Its own configuration: accounts in a file, no registry behind it, and a header on every reply to count them by. */
const config = (version: string): string => `
storage: ./storage
auth: { htpasswd: { file: ./storage/htpasswd } }
security: { api: { jwt: { sign: { expiresIn: 1d } } } }
user_agent: verdaccio/${version}
uplinks: {}
packages: { '**': { access: $all, publish: $authenticated } }
log: { type: stdout, format: json, level: warn }
`;

test(`verdaccio ${OLD} becomes ${NEW} and goes back, and its users notice nothing`, { timeout: 300_000 }, async () => {
  const port = await freePort();
  const server = await PublishedServer.create(`verdaccio-${OLD}`, {
    'evenkeel.yaml': file(port),
    'config.yaml': config(OLD),
  });
  const version = () => versionInPage(`http://127.0.0.1:${port}`);

  await server.run('up');
  expect(await version()).toBe(OLD);
  const users = await spawnUsers<RegistryCounts>(USERS, { port, rate: 50, timeoutMs: 10_000 });

  server.upgradeTo(`verdaccio-${NEW}`);
  writeFiles(server.root, { 'config.yaml': config(NEW) });
  const deployed = await server.run('deploy', 'registry');
  expect(await version()).toBe(NEW);
  const promotion = await server.promotion(deployed.id);
  expect(await server.weights(deployed.id)).toEqual(expect.arrayContaining([10, 50]));
  expect(promotion.canaryRequests).toBeGreaterThan(60);
  await sleep(2000); // the new version alone, for long enough to be seen to work

  const back = await server.run('rollback', 'registry');
  expect(await version()).toBe(OLD);
  await sleep(2000);
  const report = await users.stop();

  const { publications, tags, writeShare, assetsAcross, readBack, readBackFrom } = report;
  console.log(
    summary(`verdaccio ${OLD} -> ${NEW} -> ${OLD}`, {
      deploy: deployed,
      rollback: back,
      promotion,
      report,
      more: { publications, tags, writeShare, assetsAcross, readBack, readBackFrom },
    }),
  );
  expect(report.examples).toEqual([]);
  expect(report.failed).toBe(0);
  expect(report.skipped).toBe(0);
  expect(Object.keys(report.byVersion).toSorted()).toEqual([`verdaccio/${OLD}`, `verdaccio/${NEW}`]);
  expect(writeShare).toBeGreaterThanOrEqual(0.2);
  expect(publications).toBeGreaterThan(100);
  // What either version took is there in the end, and since the rollback only the old one has answered.
  expect(readBack).toBe(publications);
  expect(readBackFrom).toEqual([`verdaccio/${OLD}`]);
});

/** What the server itself tells browsers: within the page, or (from 6 on) in a script that the page names. */
async function versionInPage(origin: string): Promise<string | undefined> {
  const texts = ['/', '/-/static/ui-options.js'].map(async (path) =>
    (await fetch(`${origin}${path}`, { headers: { connection: 'close' } })).text(),
  );
  return /"version":"([^"]+)"/.exec((await Promise.all(texts)).join('\n'))?.[1];
}
