import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { loadProject } from '../../src/config/load-project.ts';
import { readToken } from '../../src/platform/tokens.ts';
import { freePort } from '../support/free-port.ts';
import { openSystem, projectFolder } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { INSTALL } from '../support/third-party/published-server.ts';

const run = promisify(execFile);
const FIXTURE = fileURLToPath(new URL('../fixtures/openapi-client', import.meta.url));

const server = `
require('node:http').createServer((request, response) => response.end('hello')).listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

test(
  'a client that a public generator made of the OpenAPI document type-checks, and deploys',
  { timeout: 180_000 },
  async () => {
    const system = openSystem();
    await system.start();
    const root = projectFolder({
      'evenkeel.yaml': `project: shop\nport: ${await freePort()}\nservices:\n  api: { run: node main.cjs, routes: [/], health: { path: /, interval: 100ms } }\n`,
      'main.cjs': server,
    });
    const loaded = await loadProject({ root, environment: 'development', processEnv: system.env });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));

    const folder = join(tempDir('client'), 'client');
    cpSync(FIXTURE, folder, { recursive: true });
    const bin = (name: string): string => join(folder, 'node_modules/.bin', name);
    const [command = '', ...args] = INSTALL.split(' ');
    await run(command, args, { cwd: folder });
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(await system.get('/openapi.json')));

    const validated = await run(bin('validate-api'), ['openapi.json'], { cwd: folder });
    expect(JSON.parse(validated.stdout)).toEqual({ valid: true });
    await run(bin('openapi-typescript'), ['openapi.json', '-o', 'api.d.ts'], { cwd: folder });
    await run(bin('tsc'), ['-p', '.'], { cwd: folder });

    const url = await overTcp(system.paths.controllerSocket);
    const client = await run(
      process.execPath,
      [join(folder, 'client.js'), `${url}/api/v1`, JSON.stringify(loaded.project)],
      {
        env: { ...system.env, API_TOKEN: (await readToken(system.paths.token)) ?? '' },
      },
    );
    expect(JSON.parse(client.stdout)).toEqual({
      refused: 'service-unknown',
      phase: 'watching',
      promoted: true,
      health: 'healthy',
    });
  },
);

/** Generated clients know no unix sockets. */
async function overTcp(socketPath: string): Promise<string> {
  const proxy = createServer((req, res) => {
    const onward = request({ socketPath, method: req.method, path: req.url, headers: req.headers }, (reply) => {
      res.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(res);
    });
    req.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
