import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { ask, emulated, endEmulators } from './emulated.ts';

afterEach(endEmulators);

describe('a cloud that is kept in a folder', () => {
  test('is the same to the next emulator, with its objects and what was under way', async () => {
    const folder = tempDir('cloud');
    const first = await emulated({ folder, on: ['sqladmin'], speed: 200 });
    await ask(first, 'POST', 'storage', '/storage/v1/b?project=demo-project', { body: { name: 'kept-files' } });
    await ask(first, 'POST', 'storage', '/upload/storage/v1/b/kept-files/o?uploadType=media&name=a', {
      body: Buffer.from('bytes'),
    });
    const body = {
      name: 'main',
      databaseVersion: 'POSTGRES_15',
      region: 'europe-west1',
      settings: { tier: 'db-f1-micro' },
    };
    const begun = await ask(first, 'POST', 'sqladmin', '/v1/projects/demo-project/instances', { body });
    await expect(emulated({ folder })).rejects.toThrow(/another emulator/);
    await endEmulators();
    expect(statSync(join(folder, 'state.json')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))).toMatchObject({
      tables: { 'storage.buckets': {} },
    });

    const second = await emulated({ folder });
    const read = await ask(second, 'GET', 'storage', '/storage/v1/b/kept-files/o/a?alt=media');
    expect(read.bytes.toString()).toBe('bytes');
    const operation = `/v1/projects/demo-project/operations/${String(begun.body.name)}`;
    await expect
      .poll(async () => (await ask(second, 'GET', 'sqladmin', operation)).body.status, { timeout: 20_000 })
      .toBe('DONE');
    const { body: instance } = await ask(second, 'GET', 'sqladmin', '/v1/projects/demo-project/instances/main');
    expect(instance.state).toBe('RUNNABLE');
  });

  test('knows only the projects it was given', async () => {
    const emulator = await emulated({ projects: ['demo-project'] });
    const found = await ask(emulator, 'GET', 'cloudresourcemanager', '/v3/projects/demo-project');
    expect(found.body).toMatchObject({ projectId: 'demo-project', state: 'ACTIVE' });
    const number = String(found.body.name);
    expect((await ask(emulator, 'GET', 'cloudresourcemanager', `/v3/${number}`)).body.projectId).toBe('demo-project');
    expect((await ask(emulator, 'GET', 'cloudresourcemanager', '/v3/projects/other-project')).status).toBe(403);
  });
});
