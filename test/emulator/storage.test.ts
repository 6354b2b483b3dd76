import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from './emulated.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';

afterEach(endEmulators);

const B = '/storage/v1/b';

async function bucket(emulator: Emulator, name = 'demo-files'): Promise<void> {
  const made = await ask(emulator, 'POST', 'storage', `${B}?project=demo-project`, {
    body: { name, location: 'europe-west1' },
  });
  expect(made.status).toBe(200);
}

describe('Cloud Storage', () => {
  test('buckets: made once, patched under a precondition, with life-cycle and policy', async () => {
    const emulator = await emulated();
    await bucket(emulator);
    const twice = await ask(emulator, 'POST', 'storage', `${B}?project=demo-project`, { body: { name: 'demo-files' } });
    expect(twice).toMatchObject({ status: 409, body: { error: { errors: [{ reason: 'conflict' }] } } });
    const lifecycle = { rule: [{ action: { type: 'Delete' }, condition: { age: 7, matchesPrefix: ['tmp/'] } }] };
    const patched = await ask(emulator, 'PATCH', 'storage', `${B}/demo-files?ifMetagenerationMatch=1`, {
      body: { lifecycle, labels: { a: 'b', c: 'd' } },
    });
    expect(patched.body).toMatchObject({ metageneration: '2', location: 'EUROPE-WEST1', lifecycle });
    const stale = await ask(emulator, 'PATCH', 'storage', `${B}/demo-files?ifMetagenerationMatch=1`, { body: {} });
    expect(stale).toMatchObject({ status: 412, body: { error: { errors: [{ reason: 'conditionNotMet' }] } } });
    const less = await ask(emulator, 'PATCH', 'storage', `${B}/demo-files`, { body: { labels: { a: null } } });
    expect(less.body.labels).toEqual({ c: 'd' });
    const policy = (await ask(emulator, 'GET', 'storage', `${B}/demo-files/iam`)).body;
    const everybody = { role: 'roles/storage.objectViewer', members: ['allUsers'] };
    const set = (bindings: object[], etag: string) =>
      ask(emulator, 'PUT', 'storage', `${B}/demo-files/iam`, { body: { bindings, etag } });
    expect((await set([...policy.bindings, everybody], policy.etag)).status).toBe(200);
    expect((await set([], policy.etag)).status).toBe(412);
    expect((await ask(emulator, 'DELETE', 'storage', `${B}/demo-files`)).status).toBe(204);
    expect((await ask(emulator, 'GET', 'storage', `${B}/demo-files`)).status).toBe(404);
  });

  test('what it does not know it lets pass, in a body and in a query, as libraries expect of it', async () => {
    const emulator = await emulated();
    const body = {
      name: 'demo-files',
      uniformBucketLevelAccess: true,
      iamConfiguration: { bucketPolicyOnly: { a: 1 } },
    };
    const made = await ask(emulator, 'POST', 'storage', `${B}?project=demo-project`, { body });
    expect([made.status, Object.keys(made.body).includes('uniformBucketLevelAccess')]).toEqual([200, false]);
    expect((await ask(emulator, 'GET', 'storage', `${B}/demo-files/o?force=true`)).status).toBe(200);
  });

  test('an object by each of the three kinds of upload, read whole, in part and as metadata', async () => {
    const emulator = await emulated();
    await bucket(emulator);
    const upload = `/upload${B}/demo-files/o`;
    const simple = await ask(emulator, 'POST', 'storage', `${upload}?uploadType=media&name=a%2Fone.txt`, {
      body: Buffer.from('one'),
      headers: { 'content-type': 'text/plain' },
    });
    expect(simple.body).toMatchObject({ name: 'a/one.txt', size: '3', contentType: 'text/plain' });
    const parts = [
      '--x\r\ncontent-type: application/json\r\n\r\n{"name":"a/two.txt"}\r\n',
      '--x\r\ncontent-type: text/css\r\n\r\ntwo\r\n\r\n--x--',
    ];
    const multipart = await ask(emulator, 'POST', 'storage', `${upload}?uploadType=multipart`, {
      body: Buffer.from(parts.join('')),
      headers: { 'content-type': 'multipart/related; boundary=x' },
    });
    expect(multipart.body).toMatchObject({ name: 'a/two.txt', size: '5', contentType: 'text/css' });

    const begun = await ask(emulator, 'POST', null, `${upload}?uploadType=resumable&name=three`, {
      body: { contentType: 'x/y' },
    });
    const session = begun.headers.get('location')?.slice(emulator.url.length) ?? '';
    const put = (bytes: string, range: string) =>
      ask(emulator, 'PUT', null, session, { body: Buffer.from(bytes), headers: { 'content-range': range } });
    expect(await put('thr', 'bytes 0-2/5')).toMatchObject({ status: 308 });
    expect((await put('', 'bytes */5')).headers.get('range')).toBe('bytes=0-2');
    expect((await put('ee', 'bytes 3-4/5')).body).toMatchObject({ name: 'three', size: '5', contentType: 'x/y' });

    expect((await ask(emulator, 'GET', 'storage', `${B}/demo-files/o/three?alt=media`)).bytes.toString()).toBe('three');
    const part = await ask(emulator, 'GET', 'storage', `/download${B}/demo-files/o/a%2Fone.txt?alt=media`, {
      headers: { range: 'bytes=1-' },
    });
    expect([part.status, part.bytes.toString(), part.headers.get('content-range')]).toEqual([206, 'ne', 'bytes 1-2/3']);
    const listed = await ask(emulator, 'GET', 'storage', `${B}/demo-files/o?delimiter=/`);
    expect(listed.body).toMatchObject({ prefixes: ['a/'], items: [{ name: 'three' }] });
    expect((await ask(emulator, 'DELETE', 'storage', `${B}/demo-files`)).status).toBe(409);
    const copied = await ask(emulator, 'POST', 'storage', `${B}/demo-files/o/three/rewriteTo/b/demo-files/o/four`, {
      body: {},
    });
    expect(copied.body).toMatchObject({ done: true, resource: { name: 'four', size: '5' } });
    expect((await ask(emulator, 'DELETE', 'storage', `${B}/demo-files/o/three?ifGenerationMatch=1`)).status).toBe(412);
    expect((await ask(emulator, 'DELETE', 'storage', `${B}/demo-files/o/three`)).status).toBe(204);
    expect((await ask(emulator, 'GET', 'storage', `${B}/demo-files/o/three`)).status).toBe(404);
  });

  test('pages name where the next one starts, whatever is added meanwhile', async () => {
    const emulator = await emulated();
    for (const name of ['demo-a', 'demo-b', 'demo-c']) await bucket(emulator, name);
    const first = await ask(emulator, 'GET', 'storage', `${B}?project=demo-project&maxResults=2`);
    await bucket(emulator, 'demo-aa');
    const rest = await ask(
      emulator,
      'GET',
      'storage',
      `${B}?project=demo-project&pageToken=${String(first.body.nextPageToken)}`,
    );
    const names = [...first.body.items, ...rest.body.items].map(({ name }: { name: string }) => name);
    expect(names).toEqual(['demo-a', 'demo-b', 'demo-c']);
    expect(rest.body.nextPageToken).toBeUndefined();
  });
});
