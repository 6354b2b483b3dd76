import { afterEach, beforeEach, expect, test } from 'vitest';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { send } from '../support/edge-harness.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let ann: Somebody;

beforeEach(async () => {
  it = await openWebWorld({
    checkDatabases: () => {
      throw new Error('EACCES: /root/of/the/server');
    },
  });
  world = peopleOf(it);
  ann = await world.somebody('ann', ['admin'], { runsServer: true });
});
afterEach(() => it.close());

test('a list of rollouts is full of one’s own, and where it goes on says nothing of what others have', async () => {
  for (const name of ['staging', 'production']) {
    const definition = project([service('api', { rollout: policy() })], {
      name,
      port: name === 'staging' ? 18_101 : 18_102,
    });
    const { status, body } = await world.local('POST', `projects/shop/environments/${name}/deploy`, { definition });
    expect([status, body]).toMatchObject([200, {}]);
  }
  const staging = await world.somebody('ben', [{ role: 'viewer', environment: 'staging' }]);
  const page = async (who: Somebody): Promise<{ rollouts: { environment: string }[]; next: string | null }> =>
    (await who.ask('GET', 'rollouts?limit=1')).body as never;
  expect(await page(ann)).toMatchObject({ rollouts: [{ environment: 'production' }], next: expect.any(String) });
  expect(await page(staging)).toMatchObject({ rollouts: [{ environment: 'staging' }], next: null });
  const eve = await world.somebody('eve', ['admin'], { of: await world.organization('Acme') });
  expect(await page(eve)).toEqual({ rollouts: [], next: null });
});

test('what goes wrong inside is for the log, and not for whoever asks', async () => {
  const reply = await ann.ask('GET', 'server/examination');
  expect(reply).toMatchObject({ status: 500, code: 'unexpected' });
  expect(JSON.stringify(reply.body)).not.toMatch(/EACCES|root|controller\.log/);
  const local = await world.local('GET', 'server/examination');
  expect(JSON.stringify(local.body)).toMatch(/EACCES.*controller\.log/);
});

test('whoever is not signed in is told how one proves who one is', async () => {
  const reply = await send({ port: it.port, method: 'GET', path: '/api/v1/rollouts', headers: {} }, '');
  expect(reply.status).toBe(401);
  expect(reply.headers['www-authenticate']).toBe('Bearer');
});

test('the audit of an organization tells nothing of people who are not in it', async () => {
  const eve = await world.somebody('eve', ['viewer'], { of: await world.organization('Acme') });
  const admin = await world.somebody('admin', ['admin']);
  for (const what of ['link', 'second-factor-removal', 'grants'])
    await admin.ask('POST', `organizations/default/people/${eve.id}/${what}`, { role: 'viewer' });
  const { body } = await admin.ask('GET', 'audit');
  expect(JSON.stringify(body)).toContain(eve.id);
  expect(JSON.stringify(body)).not.toMatch(/"login":"eve"/);
});
