import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';
import { fileSecrets } from '../../src/drivers/secrets/file-secrets.ts';
import { secretsRedactor } from '../../src/drivers/secrets/redact.ts';
import { aProject, aRequest, aService, build } from '../support/build-fixture.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const scope = { project: 'chat', environment: 'production' };
const PASSWORD = 'p&ss w"rd-7';
const KEY = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----\n';

async function store() {
  const at = { file: join(tempDir('home'), 'secrets.json'), keyFile: join(tempDir('config'), 'secrets.key') };
  const secrets = fileSecrets(at);
  await secrets.set(scope, 'PASSWORD', PASSWORD);
  await secrets.set({ ...scope, environment: 'staging' }, 'KEY', KEY);
  await secrets.set(scope, 'PIN', '42');
  return { at, redact: secretsRedactor(at) };
}

describe('what a program said, before it becomes part of a message', () => {
  test.each([
    ['as it is', `cannot log in with ${PASSWORD}!`, 'cannot log in with •••!'],
    ['in an address', `postgres://me:${encodeURIComponent(PASSWORD)}@db/x`, 'postgres://me:•••@db/x'],
    ['in JSON', JSON.stringify({ password: PASSWORD }), '{"password":"•••"}'],
    ['in a form', `password=${new URLSearchParams({ p: PASSWORD }).toString().slice(2)}&x=1`, 'password=•••&x=1'],
    ['in lower-case escapes', encodeURIComponent(PASSWORD).toLowerCase(), '•••'],
    ['in base64', Buffer.from(PASSWORD).toString('base64url'), '•••'],
    ['in hexadecimal', Buffer.from(PASSWORD).toString('hex'), '•••'],
    ['in HTML', 'wrong: p&amp;ss w&quot;rd-7', 'wrong: •••'],
    ['a line of a key', 'bad key: MIIEvQIBADANBgkqhkiG9w0', 'bad key: •••'],
    ['too short to tell', '42 short words', '42 short words'],
    ['nothing', '', ''],
  ])('loses its secrets: %s', async (_, said, told) => {
    expect(await (await store()).redact(said)).toBe(told);
  });

  test('loses them in the base64 of a header too, wherever they stand in it', async () => {
    const { redact } = await store();
    for (const user of ['', 'a', 'ab', 'abc', 'app:', 'me@host:'])
      for (const after of ['', '!', '!!', '\n']) {
        const header = Buffer.from(`${user}${PASSWORD}${after}`).toString('base64');
        const told = await redact(`Authorization: Basic ${header}`);
        expect(told).toContain('•••');
        // What is left at the ends holds a few bits of a neighbour, and no piece of the value that could be read.
        expect(Buffer.from(told.replace(/.* /, ''), 'base64').toString('latin1')).not.toContain(PASSWORD.slice(2, 6));
      }
  });

  test('loses former values as well, as long as they are kept', async () => {
    const { at, redact } = await store();
    await fileSecrets(at).set(scope, 'PASSWORD', 'the new one');
    expect(await redact(`${PASSWORD}, the new one`)).toBe('•••, •••');
    await fileSecrets(at).forgetFormer(() => false);
    expect(await redact('the new one')).toBe('•••');
  });

  test('is not told at all when nobody can say what is secret', async () => {
    const { at, redact } = await store();
    rmSync(at.keyFile);
    const told = await redact(`cannot log in with ${PASSWORD}`);
    expect(told).not.toContain(PASSWORD);
    expect(told).toContain('not shown');
  });

  test('is as it is where there are no secrets', async () => {
    const none = { file: join(tempDir(), 'none.json'), keyFile: join(tempDir(), 'none.key') };
    expect(await secretsRedactor(none)('hello')).toBe('hello');
  });
});

describe('the last lines hold no secret', () => {
  const command = 'echo "cannot log in with $WORD" >&2; exit 3';
  const env = { WORD: PASSWORD };
  const told = 'cannot log in with •••';

  test('of a job that failed', async () => {
    const home = tempDir('home');
    const jobs = processJobs({ home, redact: (await store()).redact });
    const resources = { memory: null, cpu: null };
    await jobs.start({ id: 'migrate', ...scope, command, env, cwd: home, resources, log: join(home, 'job.log') });
    const end = await waitFor(
      async () => {
        const seen = await jobs.observe('migrate');
        return seen.state === 'ended' ? seen : null;
      },
      { what: 'its end' },
    );
    expect(end).toMatchObject({ exit: 3, tail: told });
    await jobs.remove('migrate');
  });

  test('of an instance that failed', async () => {
    const home = tempDir('home');
    const runtime = processRuntime({ home, redact: (await store()).redact });
    onTestFinished(() => runtime.stop('i', { graceMs: 0, reason: 'the test is over' }));
    await runtime.start({
      id: 'i',
      ...scope,
      service: 'api',
      release: 'api@1',
      index: 0,
      generation: 0,
      artifact: tempDir('artifact'),
      dir: '.',
      command,
      env,
      port: null,
      data: [],
      resources: { memory: null, cpu: null },
      log: join(home, 'api.log'),
    });
    const ended = () => runtime.observe(scope).then(([only]) => (only?.state === 'ended' ? only : null));
    expect(await waitFor(ended, { what: 'its end' })).toMatchObject({ tail: told });
    expect(await ended()).toMatchObject({ tail: told });
  });

  test('of a build that failed, also when nobody knows any more what it was given', async () => {
    const home = tempDir('home');
    const { redact } = await store();
    const builder = processBuilder({ home, jobs: processJobs({ home }), pollMs: 20, redact });
    const request = aRequest(aProject({ 'a.txt': 'x' }), { service: aService({ build: command }), env });
    const end = await build(builder, request);
    expect(end).toMatchObject({ state: 'failed', detail: expect.stringContaining(told) });
  });
});
