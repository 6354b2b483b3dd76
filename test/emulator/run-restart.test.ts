import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { build, call, create, ended, open, PROGRAM, service } from './deployed.ts';
import { TOKEN } from './emulated.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});

/** An emulator as a process of its own, that can be killed. */
async function separate(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const emulator = new URL('../../src/emulator/emulator.ts', import.meta.url).href;
  const options = JSON.stringify({ token: TOKEN, folder, speed: 1e9, run: { graceMs: 1_000 } });
  const script = `
    import { startEmulator } from ${JSON.stringify(emulator)};
    const emulator = await startEmulator(${options});
    process.once('SIGTERM', () => void emulator.close());
    console.log(emulator.url);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['ended'])])) as [
    Buffer,
  ];
  return { child, url: /http:\S+/.exec(line.toString())?.[0] ?? '' };
}

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A project with its APIs on and a service that is built and deployed, made through the API alone. */
async function deploy(emulator: Emulator, image: string): Promise<string> {
  const enable = (name: string) =>
    new Promise<number>((resolve, reject) => {
      const path = `/v1/projects/demo-project/services/${name}.googleapis.com:enable`;
      const headers = {
        host: 'serviceusage.googleapis.com',
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
      };
      const sent = request(`${emulator.url}${path}`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject);
      sent.end('{}');
    });
  for (const name of ['run', 'cloudbuild', 'artifactregistry']) expect(await enable(name)).toBe(200);
  const context = tempDir('context');
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), 'FROM node:24\nWORKDIR /app\nCOPY . .\nCMD ["node", "main.js"]\n');
  writeFileSync(join(context, 'main.js'), PROGRAM);
  const built = await ended(emulator, await build(emulator, context, { images: [image] }), 'cloudbuild', 'v1');
  expect(built.error).toBeUndefined();
  const template = { scaling: { minInstanceCount: 1 }, containers: [{ image }] };
  expect((await create(emulator, 'api', { template })).error).toBeUndefined();
  await open(emulator, 'api');
  return (await service(emulator, 'api')).uri;
}

const IMAGE = 'europe-west1-docker.pkg.dev/demo-project/apps/api:v1';

/** As much of an emulator as the helpers need of one that is another process. */
const at = (url: string): Emulator => {
  const state = { table: () => ({ has: () => false }) };
  return { url, world: { state } as unknown as Emulator['world'], close: async () => {} };
};

describe('an emulator with a folder', () => {
  test('that is killed leaves processes to the next one, which ends them and runs the services on', async () => {
    const folder = tempDir('state');
    const first = await separate(folder);
    const uri = await deploy(at(first.url), IMAGE);
    const before = (await call(at(first.url), uri)).json.pid;
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    expect(isThere(before)).toBe(true);

    const second = await startEmulator({ token: TOKEN, folder, speed: 1e9, run: { graceMs: 1_000 } });
    await waitFor(() => !isThere(before), { what: 'what the killed one left to end' });
    const after = await waitFor(async () => (await call(second, uri)).json, { what: 'the service to answer again' });
    expect(after.pid).not.toBe(before);
    expect((await service(second, 'api')).terminalCondition.state).toBe('CONDITION_SUCCEEDED');
    await second.close();
    await waitFor(() => !isThere(after.pid), { what: 'the service to end with its emulator' });
  });

  test('that is ended takes all its processes along', async () => {
    const folder = tempDir('state');
    const { child, url } = await separate(folder);
    const uri = await deploy(at(url), IMAGE);
    const { pid } = (await call(at(url), uri)).json;
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(isThere(pid)).toBe(false);
  });
});
