import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { emulated, endEmulators, TOKEN } from '../emulator/emulated.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';

afterEach(endEmulators);

const run = promisify(execFile);

const hasGcloud = ((): boolean => {
  try {
    execFileSync('gcloud', ['--version'], {
      stdio: 'ignore',
      env: { ...process.env, CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1' },
    });
    return true;
  } catch {
    console.log('skipped: there is no gcloud on this machine');
    return false;
  }
})();

const APIS = [
  'serviceusage',
  'secretmanager',
  'cloudresourcemanager',
  'iam',
  'storage',
  'artifactregistry',
  'sql',
  'logging',
];

/** gcloud with a configuration of its own, that talks to the emulator alone. */
function gcloudOf(emulator: Emulator): (...words: string[]) => Promise<string> {
  const folder = tempDir('gcloud');
  const token = join(folder, 'token');
  writeFileSync(token, TOKEN);
  const overrides = APIS.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`, `${emulator.url}/`]);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    CLOUDSDK_CONFIG: folder,
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: token,
    CLOUDSDK_CORE_PROJECT: 'demo-project',
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    ...Object.fromEntries(overrides),
  };
  return async (...words) => (await run('gcloud', words, { env, cwd: folder })).stdout;
}

test.skipIf(!hasGcloud)(
  'gcloud, which knows nothing of an emulator, is satisfied',
  async () => {
    const emulator = await emulated();
    const gcloud = gcloudOf(emulator);
    await gcloud('services', 'enable', 'secretmanager.googleapis.com', 'iam.googleapis.com', 'sqladmin.googleapis.com');
    const value = join(tempDir('value'), 'value');
    writeFileSync(value, 'xyzzy');
    await gcloud('secrets', 'create', 'word', '--labels=a=b', `--data-file=${value}`);
    expect(await gcloud('secrets', 'versions', 'access', 'latest', '--secret=word')).toBe('xyzzy');

    await gcloud('iam', 'service-accounts', 'create', 'api-runner');
    const member = 'serviceAccount:api-runner@demo-project.iam.gserviceaccount.com';
    const bind = ['projects', 'add-iam-policy-binding', 'demo-project', `--member=${member}`, '--condition=None'];
    expect(JSON.parse(await gcloud(...bind, '--role=roles/cloudsql.client', '--format=json'))).toMatchObject({
      bindings: [{ role: 'roles/owner' }, { role: 'roles/cloudsql.client', members: [member] }],
    });

    await gcloud('storage', 'buckets', 'create', 'gs://gcloud-files', '--location=europe-west1');
    await gcloud('storage', 'cp', value, 'gs://gcloud-files/dir/value');
    expect(await gcloud('storage', 'cat', 'gs://gcloud-files/dir/value')).toBe('xyzzy');
    await gcloud('storage', 'rm', '--recursive', 'gs://gcloud-files');

    const sql = [
      '--region=europe-west1',
      '--database-version=POSTGRES_15',
      '--tier=db-f1-micro',
      '--edition=enterprise',
    ];
    await gcloud('sql', 'instances', 'create', 'main', ...sql);
    const status = await gcloud('sql', 'instances', 'describe', 'main', '--format=value(state,connectionName)');
    expect(status.trim().split(/\s+/)).toEqual(['RUNNABLE', 'demo-project:europe-west1:main']);
    expect(emulator.world.calls.list().filter(({ method }) => method === 'unknown')).toEqual([]);
  },
  240_000,
);
