import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { emulated, endEmulators, TOKEN } from './emulated.ts';

afterEach(endEmulators);

// eslint-disable-next-line typescript/no-explicit-any -- a client of each of several APIs, made at run time
type Library = Record<string, any>;

/** One of Google's own libraries, or null where it is not installed. */
const library = (name: string): Promise<Library | null> =>
  import(`@googleapis/${name}`).then(
    (found: Library) => found,
    () => null,
  );

const names = ['serviceusage', 'storage', 'secretmanager', 'sqladmin', 'iam', 'cloudresourcemanager'];
const libraries = await Promise.all(names.map(library));
const installed = libraries.every((one) => one !== null);
if (!installed) console.log("skipped: Google's client libraries are not installed");

test.skipIf(!installed)("Google's own client libraries are satisfied, uploads and pages included", async () => {
  const emulator = await emulated();
  const root = { rootUrl: `${emulator.url}/` };
  const client = (name: string, version: string) => {
    const found = libraries[names.indexOf(name)] ?? {};
    const auth = new found['auth'].OAuth2();
    auth.setCredentials({ access_token: TOKEN });
    return found[name]({ version, auth, ...root });
  };
  const project = 'projects/demo-project';
  const serviceIds = ['iam', 'secretmanager', 'sqladmin'].map((name) => `${name}.googleapis.com`);
  const usage = client('serviceusage', 'v1');
  const begun = await usage.services.batchEnable({ parent: project, requestBody: { serviceIds } });
  expect((await usage.operations.get({ name: begun.data.name })).data.done).toBe(true);

  const storage = client('storage', 'v1');
  const bucket = 'library-files';
  await storage.buckets.insert({ project: 'demo-project', requestBody: { name: bucket } });
  const upload = (name: string, body: unknown) =>
    storage.objects.insert(
      { bucket, requestBody: { name, metadata: { a: 'b' } }, media: { mimeType: 'text/plain', body } },
      root,
    );
  expect((await upload('dir/a b', Readable.from(['streamed']))).data).toMatchObject({
    size: '8',
    metadata: { a: 'b' },
  });
  await upload('two', 'text');
  expect((await storage.objects.get({ bucket, object: 'dir/a b', alt: 'media' })).data).toBe('streamed');
  const first = await storage.objects.list({ bucket, maxResults: 1 });
  const rest = await storage.objects.list({ bucket, pageToken: first.data.nextPageToken });
  expect([...first.data.items, ...rest.data.items].map(({ name }) => name)).toEqual(['dir/a b', 'two']);

  const { secrets } = client('secretmanager', 'v1').projects;
  await secrets.create({ parent: project, secretId: 's', requestBody: { replication: { automatic: {} } } });
  await secrets.addVersion({ parent: `${project}/secrets/s`, requestBody: { payload: { data: 'aGk=' } } });
  const { data } = await secrets.versions.access({ name: `${project}/secrets/s/versions/latest` });
  expect(data.payload.data).toBe('aGk=');
  await expect(secrets.get({ name: `${project}/secrets/none` })).rejects.toMatchObject({ status: 404 });

  const requestBody = {
    name: 'main',
    databaseVersion: 'POSTGRES_15',
    region: 'europe-west1',
    settings: { tier: 'db-f1-micro' },
  };
  for (const version of ['v1', 'v1beta4']) {
    const { instances } = client('sqladmin', version);
    if (version === 'v1') await instances.insert({ project: 'demo-project', requestBody });
    expect((await instances.get({ project: 'demo-project', instance: 'main' })).data.state).toBe('RUNNABLE');
  }
  const { serviceAccounts } = client('iam', 'v1').projects;
  const { email } = (await serviceAccounts.create({ name: project, requestBody: { accountId: 'library' } })).data;
  expect((await serviceAccounts.get({ name: `projects/-/serviceAccounts/${String(email)}` })).data.email).toBe(email);
  const policy = await client('cloudresourcemanager', 'v3').projects.getIamPolicy({
    resource: project,
    requestBody: {},
  });
  expect(policy.data.bindings).toHaveLength(1);
});
