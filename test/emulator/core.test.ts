import { Agent, get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators, TOKEN } from './emulated.ts';

afterEach(endEmulators);

describe('the core', () => {
  test('a request without or with a wrong token is refused as Google does it', async () => {
    const emulator = await emulated();
    const none = await ask(emulator, 'GET', 'secretmanager', '/v1/projects/demo-project/secrets', { token: null });
    expect(none).toMatchObject({ status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED' } } });
    expect(none.headers.get('www-authenticate')).toContain('Bearer');
    const wrong = await ask(emulator, 'GET', 'secretmanager', '/v1/projects/demo-project/secrets', { token: 'x' });
    expect(wrong.status).toBe(401);
  });

  test('an API that is off says so with its details, and is on once its operation ended', async () => {
    const emulator = await emulated();
    const off = await ask(emulator, 'GET', 'secretmanager', '/v1/projects/demo-project/secrets');
    expect(off.status).toBe(403);
    expect(off.body.error.details[0]).toMatchObject({
      reason: 'SERVICE_DISABLED',
      metadata: { service: 'secretmanager.googleapis.com' },
    });
    const enable = '/v1/projects/demo-project/services/secretmanager.googleapis.com:enable';
    const begun = await ask(emulator, 'POST', 'serviceusage', enable, { body: {} });
    expect(begun.body.done).toBeUndefined();
    const ended = await ask(emulator, 'GET', 'serviceusage', `/v1/${begun.body.name}`);
    expect(ended.body).toMatchObject({ done: true, response: { service: { state: 'ENABLED' } } });
    const again = await ask(emulator, 'POST', 'serviceusage', enable, { body: {} });
    expect(again.body).toMatchObject({ done: true, response: { service: { state: 'ENABLED' } } });
    expect((await ask(emulator, 'GET', 'secretmanager', '/v1/projects/demo-project/secrets')).status).toBe(200);
  });

  test('a body that breaks the schema is refused with every violation', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const refused = await ask(emulator, 'POST', 'secretmanager', '/v1/projects/demo-project/secrets?secretId=a', {
      body: { replication: { automatic: {} }, labels: { a: 1 }, secretType: 'WRONG', unheard: true },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.error.status).toBe('INVALID_ARGUMENT');
    const fields = refused.body.error.details[0].fieldViolations.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(['labels.a', 'secretType', 'unheard']);
  });

  test('an unknown query parameter is refused, the standard ones are taken', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const path = '/v1/projects/demo-project/secrets';
    expect((await ask(emulator, 'GET', 'secretmanager', `${path}?pageSiz=1`)).status).toBe(400);
    expect((await ask(emulator, 'GET', 'secretmanager', `${path}?pageSize=x`)).status).toBe(400);
    expect((await ask(emulator, 'GET', 'secretmanager', `${path}?alt=json&prettyPrint=false&$.xgafv=1`)).status).toBe(
      200,
    );
  });

  test('a host that is no name of Google’s is served by path, and a host may lead the path', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    for (const url of [
      '/v1/projects/demo-project/secrets',
      '/secretmanager.googleapis.com/v1/projects/demo-project/secrets',
    ])
      expect((await ask(emulator, 'GET', null, url)).status).toBe(200);
  });

  test('a client that takes it for a plain proxy names the host in the target', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const { hostname, port } = new URL(emulator.url);
    const path = 'http://secretmanager.googleapis.com/v1/projects/demo-project/secrets';
    const status = await new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      get({ hostname, port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(200);
    expect(emulator.world.calls.list()).toMatchObject([{ method: 'secretmanager.projects.secrets.list' }]);
  });

  test('a client is promised to keep its connection for as long as Google does', async () => {
    const emulator = await emulated();
    const agent = new Agent({ keepAlive: true });
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      get(emulator.url, { agent }, resolve).once('error', reject);
    });
    reply.resume();
    agent.destroy();
    expect(reply.headers['keep-alive']).toBe('timeout=610');
  });

  test('audit settings are changed only by a mask that names them', async () => {
    const emulator = await emulated();
    const set = (body: object) =>
      ask(emulator, 'POST', 'cloudresourcemanager', '/v1/projects/demo-project:setIamPolicy', { body });
    const auditConfigs = [{ service: 'allServices', auditLogConfigs: [{ logType: 'DATA_WRITE' }] }];
    const both = await set({ policy: { auditConfigs }, updateMask: 'auditConfigs' });
    expect(both.body).toMatchObject({ auditConfigs, bindings: [{ role: 'roles/owner' }] });
    const kept = await set({ policy: { bindings: both.body.bindings, etag: both.body.etag } });
    expect(kept.body).toMatchObject({ auditConfigs });
    expect((await set({ policy: {}, updateMask: 'auditConfigs' })).body.auditConfigs).toBeUndefined();
  });

  test('planned faults hit the nth call, and all calls are counted', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const path = '/v1/projects/demo-project/secrets';
    await ask(emulator, 'POST', null, '/_emulator/faults', {
      body: { method: 'secretmanager.*.list', nth: 2, do: 'fail', status: 'UNAVAILABLE', retryAfterS: 3 },
    });
    expect((await ask(emulator, 'GET', 'secretmanager', path)).status).toBe(200);
    const failed = await ask(emulator, 'GET', 'secretmanager', path);
    expect(failed.status).toBe(503);
    expect(failed.headers.get('retry-after')).toBe('3');
    expect((await ask(emulator, 'GET', 'secretmanager', path)).status).toBe(200);
    const { body } = await ask(emulator, 'GET', null, '/_emulator/calls');
    expect(body.counts['secretmanager.projects.secrets.list']).toBe(3);
  });

  test('a policy that was read before another’s change is refused', async () => {
    const emulator = await emulated();
    const of = (verb: string, body: object) =>
      ask(emulator, 'POST', 'cloudresourcemanager', `/v3/projects/demo-project:${verb}`, { body });
    const policy = (await of('getIamPolicy', {})).body;
    const bindings = [...policy.bindings, { role: 'roles/viewer', members: ['user:b@example.com'] }];
    expect((await of('setIamPolicy', { policy: { ...policy, bindings } })).status).toBe(200);
    const stale = await of('setIamPolicy', { policy: { ...policy, bindings: [] } });
    expect(stale).toMatchObject({ status: 409, body: { error: { status: 'ABORTED' } } });
    const missing = { role: 'roles/viewer', members: ['serviceAccount:no@demo-project.iam.gserviceaccount.com'] };
    expect((await of('setIamPolicy', { policy: { bindings: [missing] } })).status).toBe(400);
  });
});
