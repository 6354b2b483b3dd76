import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { kindDrivers } from '../../src/drivers/cloud/google/kinds.ts';
import type { Kind } from '../../src/domain/cloud/resource.ts';
import { RunApi } from '../../src/drivers/cloud-run/run-api.ts';
import { findCredentials } from '../../src/platform/google/credentials.ts';
import { openGoogle } from '../../src/platform/google/http.ts';
import type { EvenkeelError } from '../../src/ports/errors.ts';
import { emulated, endEmulators } from '../emulator/emulated.ts';
import { driverAt, never, quiet, seen, wanted } from '../support/google.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

afterEach(endEmulators);

const secret = wanted('secret', 'jwt-secret', { replication: 'automatic' });

describe('how Google is asked', () => {
  test('what it refuses for now is asked again, no sooner than it said', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({
      method: 'secretmanager.projects.secrets.list',
      do: 'fail',
      status: 'UNAVAILABLE',
      retryAfterS: 1,
    });
    const { cloud, http } = await driverAt(emulator);
    const begun = performance.now();
    expect(await seen(cloud, 'secret')).toEqual([]);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(990);
    expect(http.calls()).toBe(2);
  });

  test('a job is asked to run a single time, even where Google says that it is not there for now', async () => {
    const emulator = await emulated({ on: ['run'] });
    emulator.world.faults.plan({
      method: 'run.projects.locations.jobs.run',
      do: 'fail',
      status: 'UNAVAILABLE',
      times: 0,
    });
    const { http } = await driverAt(emulator);
    const run = new RunApi(http).runJob({ project: 'demo-project', region: 'europe-west1' }, 'migrate', undefined);
    await expect(run).rejects.toMatchObject({ retryable: true, status: 503 });
    expect(http.calls()).toBe(1);
  });

  test('a project that is misspelt, or is not ours to see, is named with where to look', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    for (const fault of [
      { do: 'fail', status: 'NOT_FOUND' },
      { do: 'deny', permission: 'resourcemanager.projects.get' },
    ] as const) {
      emulator.world.faults.plan({ method: 'cloudresourcemanager.projects.get', ...fault });
      await expect(cloud.greet(never())).rejects.toMatchObject({
        code: 'cloud-project-unknown',
        message: expect.stringContaining('no cloud project demo-project') as unknown,
        next: expect.stringContaining('`cloud.project` in evenkeel.yaml') as unknown,
      });
    }
  });

  test('a token that is refused: how to get a new one, and not how to sign in otherwise', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator, { token: 'stale' });
    await expect(cloud.greet(never())).rejects.toMatchObject({
      code: 'cloud-credentials',
      next: expect.stringContaining('EVENKEEL_CLOUD_TOKEN') as unknown,
    });
  });

  test('a connection that breaks after the deed leaves no second deed', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: '*.create', do: 'cut', when: 'after', times: 2 });
    const { cloud } = await driverAt(emulator);
    await cloud.create(secret, quiet, never());
    expect(await seen(cloud, 'secret')).toMatchObject([{ name: 'jwt-secret' }]);
    emulator.world.faults.plan({ method: '*.addVersion', do: 'cut', when: 'after' });
    await expect(cloud.setSecret('jwt-secret', 'a', never())).rejects.toMatchObject({
      code: 'cloud-unreachable',
      exit: 2,
      retryable: true,
    });
    expect(emulator.world.calls.report()).toMatchObject({ counts: { 'secretmanager.projects.secrets.addVersion': 1 } });
  });

  test.each([
    [{ do: 'deny', permission: 'secretmanager.secrets.create' }, 'cloud-permission'],
    [{ do: 'quota', times: 0 }, 'cloud-quota'],
    [{ do: 'fail', status: 'UNAVAILABLE', times: 0 }, 'cloud-unavailable'],
    [{ do: 'fail', status: 'INVALID_ARGUMENT' }, 'cloud-refused'],
  ] as const)('a failing change says why and has exit 2: %j', async (fault, code) => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: '*.create', ...fault });
    const { cloud } = await driverAt(emulator);
    await expect(cloud.create(secret, quiet, never())).rejects.toMatchObject({ code, exit: 2 });
  });

  test('property 29: a kind that hangs is marked, at the deadline, and holds up no other', async () => {
    const emulator = await emulated({ on: ['secretmanager', 'run', 'sqladmin', 'iam', 'artifactregistry'] });
    emulator.world.faults.plan({ method: 'artifactregistry.*', do: 'hang', times: 0 });
    const { cloud } = await driverAt(emulator);
    const kinds = Object.keys(kindDrivers).filter((kind) => kind !== 'service' && kind !== 'job') as Kind[];
    const order: string[] = [];
    const begun = performance.now();
    for await (const look of cloud.look(kinds, { deadlineMs: 4_000, signal: never() })) {
      order.push(look.kind);
      if (look.kind === 'repository')
        expect(look).toMatchObject({ problem: { code: 'cloud-no-answer', retryable: true } });
      else expect(look).toHaveProperty('resources');
    }
    expect(order).toHaveLength(kinds.length);
    expect(order.at(-1)).toBe('repository');
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('stopped in the middle it says that what was begun goes on, and does so at once', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: '*.create', do: 'hang', times: 0 });
    const { cloud } = await driverAt(emulator);
    const stop = new AbortController();
    const creating = cloud.create(secret, quiet, stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(creating).rejects.toMatchObject({ code: 'cloud-interrupted', exit: 2, retryable: true });
  });
});

describe('credentials', () => {
  test('nobody signed in: at once, with the command to type', async () => {
    const env = { HOME: tempDir('home') };
    await expect(findCredentials({ env })).rejects.toMatchObject({
      code: 'cloud-credentials',
      next: 'gcloud auth application-default login',
    });
  });

  test('a token comes from a file, and one that would break a header is refused unsaid', async () => {
    const file = join(tempDir('token'), 'token');
    writeFileSync(file, 'ya29.abc\n');
    const { headers } = await findCredentials({ env: {}, tokenFile: file });
    expect((await headers('https://x')).get('authorization')).toBe('Bearer ya29.abc');
    writeFileSync(file, 'ya29.abc\r\nx-evil: 1');
    const error: unknown = await findCredentials({ env: {}, tokenFile: file }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'cloud-credentials' });
    expect(String(error)).not.toContain('evil');
  });

  test('a key file that is broken is named with what is wrong, and nothing of what is in it', async () => {
    const file = join(tempDir('key'), 'key.json');
    const env = { HOME: tempDir('home'), GOOGLE_APPLICATION_CREDENTIALS: file };
    const why = async (): Promise<string> => {
      const error: unknown = await findCredentials({ env }).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        code: 'cloud-credentials',
        next: expect.stringContaining('gcloud auth') as unknown,
      });
      expect(inspect(error, { depth: 10 })).not.toContain('hush');
      return (error as EvenkeelError).why ?? '';
    };
    expect(await why()).toBe(`${file} does not exist`);
    const key = { type: 'service_account', client_email: 'a@b', private_key: 'hush-hush' };
    for (const [text, wrong] of [
      ['{"private_key": "hush', 'is no JSON'],
      ['"hush"', 'holds no credentials'],
      [JSON.stringify({ ...key, private_key: undefined }), 'lacks private_key'],
      [JSON.stringify(key), 'holds a private_key that is none'],
    ] as const) {
      writeFileSync(file, text);
      expect(await why()).toContain(`${file} ${wrong}`);
    }
  });

  test('credentials that have expired, and a network that is away, are told apart', async () => {
    const file = join(tempDir('adc'), 'adc.json');
    writeFileSync(
      file,
      JSON.stringify({ type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }),
    );
    const server = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { EVENKEEL_CLOUD_ENDPOINT: url, GOOGLE_APPLICATION_CREDENTIALS: file };
    const { headers } = await findCredentials({ env });
    await expect(headers('https://run.googleapis.com/')).rejects.toMatchObject({
      code: 'cloud-credentials',
      why: expect.stringContaining('expired or was revoked') as unknown,
      next: 'gcloud auth application-default login',
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(headers('https://run.googleapis.com/')).rejects.toMatchObject({
      code: 'cloud-unreachable',
      retryable: true,
    });
  });

  test('a key is written once, for its owner alone, and signs in where it is named', async () => {
    const emulator = await emulated({ on: ['iam', 'iamcredentials', 'secretmanager'] });
    const { cloud } = await driverAt(emulator);
    await cloud.create(wanted('account', 'runner-of-all', { displayName: 'r' }), quiet, never());
    const file = join(tempDir('key'), 'keys', 'runner.json');
    expect(await cloud.accountKey?.('runner-of-all', file, never())).toBe('written');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(await cloud.accountKey?.('runner-of-all', file, never())).toBe('kept');
    expect(readFileSync(file, 'utf8')).toBe(text);

    const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, GOOGLE_APPLICATION_CREDENTIALS: file };
    const credentials = await findCredentials({ env });
    const http = openGoogle({ credentials, endpoint: new URL(emulator.url), pace: 1 });
    const url = 'https://cloudresourcemanager.googleapis.com/v3/projects/demo-project';
    expect(await http.request('GET', url)).toMatchObject({ projectId: 'demo-project' });
    const token = await credentials.identityToken('https://api.example.com');
    expect(emulator.world.identities.verified(token)).toMatchObject({ audience: 'https://api.example.com' });
    // Health is asked for every second or two: a token is got once, and serves as long as it holds. One that is made in
    // another second is another one.
    const second = Math.floor(Date.now() / 1000);
    await waitFor(() => Math.floor(Date.now() / 1000) > second || null, { what: 'the next second' });
    expect(await credentials.identityToken('https://api.example.com')).toBe(token);
    expect(await credentials.identityToken('https://ws.example.com')).not.toBe(token);
  });

  test('a key goes into no git work tree, and over no other file', async () => {
    const emulator = await emulated({ on: ['iam'] });
    const { cloud } = await driverAt(emulator);
    const tree = tempDir('tree');
    mkdirSync(join(tree, '.git'));
    const refused = cloud.accountKey?.('runner', join(tree, 'deep', 'key.json'), never());
    await expect(refused).rejects.toMatchObject({ code: 'cloud-key-in-git' });
    const file = join(tempDir('other'), 'notes.json');
    writeFileSync(file, '{"client_email":"somebody@else"}');
    await expect(cloud.accountKey?.('runner', file, never())).rejects.toMatchObject({ code: 'cloud-key-other' });
  });

  test('a key that nobody gave out is refused, and in no message', async () => {
    const emulator = await emulated();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = join(tempDir('key'), 'key.json');
    const email = 'nobody@demo-project.iam.gserviceaccount.com';
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(
      file,
      JSON.stringify({ type: 'service_account', project_id: 'p', client_email: email, private_key: pem }),
    );
    const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, GOOGLE_APPLICATION_CREDENTIALS: file };
    const credentials = await findCredentials({ env });
    const http = openGoogle({ credentials, endpoint: new URL(emulator.url), pace: 1 });
    const url = 'https://cloudresourcemanager.googleapis.com/v3/projects/demo-project';
    const error: unknown = await http.request('GET', url).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'cloud-credentials' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('PRIVATE KEY');
  });
});
