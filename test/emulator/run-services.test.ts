import { afterEach, describe, expect, test } from 'vitest';
import { processStat } from '../../src/platform/process/identity.ts';
import { waitFor } from '../support/wait.ts';
import { ask, endEmulators } from './emulated.ts';
import { call, create, open, PARENT, patch, running, service } from './deployed.ts';

afterEach(endEmulators);

const LATEST = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';
const BY_REVISION = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
const short = (name: string) => name.slice(name.lastIndexOf('/') + 1);

describe('services of Cloud Run', () => {
  test('a deployed service really runs and answers on both of its URLs', async () => {
    const { emulator, image } = await running();
    const template = { containers: [{ image: await image('api'), env: [{ name: 'GREETING', value: 'hello' }] }] };
    const end = await create(emulator, 'api', { template });
    expect(end.error).toBeUndefined();
    const made = await service(emulator, 'api');
    expect(end.response).toMatchObject({ name: made.name, etag: made.etag });
    expect(made).toMatchObject({
      generation: '1',
      observedGeneration: '1',
      terminalCondition: { type: 'Ready', state: 'CONDITION_SUCCEEDED' },
      trafficStatuses: [{ type: LATEST, percent: 100, revision: short(made.latestReadyRevision) }],
    });
    expect(made.uri).toMatch(/^https:\/\/api-[a-z0-9]{10}-ew\.a\.run\.app$/);
    expect(made.urls).toContain(made.uri);
    expect(made.urls[0]).toMatch(/^https:\/\/api-\d{12}\.europe-west1\.run\.app$/);
    await open(emulator, 'api');
    for (const url of made.urls) {
      const answer = await call(emulator, `${url}/x`, { method: 'POST', body: 'sent' });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        method: 'POST',
        body: 'sent',
        headers: { 'x-forwarded-proto': 'https', host: new URL(url).host },
        env: {
          GREETING: 'hello',
          K_SERVICE: 'api',
          K_REVISION: short(made.latestReadyRevision),
          K_CONFIGURATION: 'api',
        },
      });
    }
    const { port } = new URL(emulator.url);
    expect((await call(emulator, `http://api.run.localhost:${port}/`)).status).toBe(200);
    expect((await call(emulator, 'https://nobody-0123456789-ew.a.run.app/')).status).toBe(404);
  });

  test('a service that a library read and sends back whole, enums as numbers and empty texts included, is taken', async () => {
    const { emulator, image } = await running();
    const template = { containers: [{ image: await image('api') }] };
    await create(emulator, 'api', { template });
    const read = await service(emulator, 'api');
    const end = await patch(emulator, 'api', {
      ...read,
      launchStage: 4,
      ingress: 1,
      traffic: [{ type: 1, percent: 100, revision: '', tag: '' }],
      conditions: [{ type: 'Ready', state: 4 }],
      template: { ...read.template, revision: '', labels: { changed: 'yes' } },
    });
    expect(end.error).toBeUndefined();
    expect(await service(emulator, 'api')).toMatchObject({
      launchStage: 'GA',
      ingress: 'INGRESS_TRAFFIC_ALL',
      template: { labels: { changed: 'yes' } },
      traffic: [{ type: LATEST, percent: 100 }],
    });
  });

  test('a revision that does not start fails with its reason, and the former one serves', async () => {
    const { emulator, image } = await running({ startupMs: 1_500 });
    const good = await image('api');
    const bad = await image('bad', { 'main.js': 'console.error("no database"); process.exit(4);' });
    const deaf = await image('deaf', { 'main.js': 'setInterval(() => {}, 1000)' });
    await create(emulator, 'api', { template: { containers: [{ image: good }] } });
    await open(emulator, 'api');
    const before = await service(emulator, 'api');
    for (const [image, message] of [
      [bad, /exited with code 4/],
      [deaf, /did not answer in time/],
      ['europe-west1-docker.pkg.dev/demo-project/apps/never:built', /Image '.*never:built' not found/],
    ] as const) {
      const end = await patch(emulator, 'api', { template: { containers: [{ image }] } });
      expect(end.error.message).toMatch(message);
      const after = await service(emulator, 'api');
      expect(after.terminalCondition).toMatchObject({
        state: 'CONDITION_FAILED',
        message: expect.stringMatching(message),
      });
      expect(after.latestReadyRevision).toBe(before.latestReadyRevision);
      expect(after.latestCreatedRevision).not.toBe(before.latestReadyRevision);
      expect(after.trafficStatuses).toEqual(before.trafficStatuses);
      const { body: revision } = await ask(emulator, 'GET', 'run', `/v2/${after.latestCreatedRevision}`);
      expect(revision.conditions[0]).toMatchObject({ type: 'Ready', state: 'CONDITION_FAILED' });
      expect((await call(emulator, before.uri)).json.env.K_REVISION).toBe(short(before.latestReadyRevision));
    }
  });

  test('a revision without traffic is reached by its tag, then shares the traffic, then has it all', async () => {
    const { emulator, image } = await running();
    const [one, two] = [await image('api:1'), await image('api:2', { 'other.txt': '2' })];
    await create(emulator, 'api', { template: { revision: 'api-one', containers: [{ image: one }] } });
    await open(emulator, 'api');
    const target = (revision: string, percent: number, tag?: string) => ({ type: BY_REVISION, revision, percent, tag });
    const traffic = [target('api-one', 100), target('api-two', 0, 'candidate')];
    const end = await patch(emulator, 'api', {
      template: { revision: 'api-two', containers: [{ image: two }] },
      traffic,
    });
    expect(end.error).toBeUndefined();
    const { uri, trafficStatuses } = await service(emulator, 'api');
    expect(trafficStatuses[1].uri).toBe(uri.replace('https://', 'https://candidate---'));
    const answering = async (url: string) => (await call(emulator, url)).json.env.K_REVISION;
    expect(await answering(trafficStatuses[1].uri)).toBe('api-two');
    for (let each = 0; each < 10; each++) expect(await answering(uri)).toBe('api-one');

    const split = [target('api-one', 50), target('api-two', 50, 'candidate')];
    await patch(emulator, 'api', { traffic: split }, '?updateMask=traffic');
    const seen = new Set<string>();
    for (let each = 0; each < 200 && seen.size < 2; each++) seen.add(await answering(uri));
    expect([...seen].toSorted()).toEqual(['api-one', 'api-two']);

    await patch(emulator, 'api', { traffic: [target('api-two', 100)] }, '?updateMask=traffic');
    for (let each = 0; each < 10; each++) expect(await answering(uri)).toBe('api-two');
    const { body } = await ask(emulator, 'GET', 'run', `${PARENT}/services/api/revisions`);
    expect(body.revisions.map(({ name }: { name: string }) => short(name))).toEqual(['api-two', 'api-one']);
  });

  test.each([
    ['sum', [{ type: LATEST, percent: 90 }], /sum to 100/],
    ['unknown revision', [{ type: BY_REVISION, revision: 'api-x', percent: 100 }], /'api-x' does not exist/],
    [
      'tags twice',
      [
        { type: LATEST, percent: 100, tag: 'a' },
        { type: LATEST, tag: 'a' },
      ],
      /unique/,
    ],
    ['tag', [{ type: LATEST, percent: 100, tag: 'A_b' }], /tag 'A_b'/],
  ])('traffic that makes no sense is refused: %s', async (_, traffic, message) => {
    const { emulator, image } = await running();
    const template = { containers: [{ image: await image('api') }] };
    await create(emulator, 'api', { template });
    const answer = await ask(emulator, 'PATCH', 'run', `${PARENT}/services/api?updateMask=traffic`, {
      body: { traffic },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toMatch(message);
    expect((await service(emulator, 'api')).generation).toBe('1');
  });

  test('what is there, what is not, and what somebody else changed meanwhile', async () => {
    const { emulator, image } = await running();
    const template = { containers: [{ image: await image('api') }] };
    expect((await ask(emulator, 'GET', 'run', `${PARENT}/services/api`)).status).toBe(404);
    expect((await ask(emulator, 'PATCH', 'run', `${PARENT}/services/api`, { body: { template } })).status).toBe(404);
    const only = await create(emulator, 'only-asked&validateOnly=true', { template });
    expect(only.response.name).toMatch(/only-asked$/);
    expect((await ask(emulator, 'GET', 'run', `${PARENT}/services/only-asked`)).status).toBe(404);
    const made = await patch(emulator, 'api', { template }, '?allowMissing=true');
    expect(made.error).toBeUndefined();
    expect(
      (await ask(emulator, 'POST', 'run', `${PARENT}/services?serviceId=api`, { body: { template } })).status,
    ).toBe(409);
    expect(
      (await ask(emulator, 'POST', 'run', `${PARENT}/services?serviceId=Api`, { body: { template } })).status,
    ).toBe(400);
    const before = await service(emulator, 'api');
    expect((await patch(emulator, 'api', { ...before, description: 'a' })).response.latestCreatedRevision).toBe(
      before.latestCreatedRevision,
    );
    const stale = await ask(emulator, 'PATCH', 'run', `${PARENT}/services/api`, {
      body: { ...before, description: 'b' },
    });
    expect(stale.status).toBe(409);
    expect(stale.body.error.status).toBe('ABORTED');
    const { body: list } = await ask(emulator, 'GET', 'run', `${PARENT}/services?pageSize=1`);
    expect(list.services).toHaveLength(1);
    const { body: gone } = await ask(emulator, 'DELETE', 'run', `${PARENT}/services/api`);
    expect(gone.done).toBe(true);
    expect((await ask(emulator, 'GET', 'run', `${PARENT}/services/api`)).status).toBe(404);
    expect((await call(emulator, before.uri)).status).toBe(404);
  });

  test('a service that is scaled by hand to none rests, and serves again when it is not', async () => {
    const { emulator, image } = await running();
    await create(emulator, 'api', { template: { containers: [{ image: await image('api') }] } });
    await open(emulator, 'api');
    const { uri } = await service(emulator, 'api');
    const { pid } = (await call(emulator, uri)).json;
    await patch(emulator, 'api', { scaling: { scalingMode: 'MANUAL', manualInstanceCount: 0 } }, '?updateMask=scaling');
    expect((await call(emulator, uri)).status).toBe(503);
    await waitFor(() => (processStat(Number(pid))?.state ?? 'Z') === 'Z', { what: 'the end of its instance' });
    await patch(emulator, 'api', { scaling: { scalingMode: 'AUTOMATIC' } }, '?updateMask=scaling');
    expect((await call(emulator, uri)).status).toBe(200);
  });

  test('a private service wants an identity token that is made for it', async () => {
    const { emulator, image } = await running();
    await create(emulator, 'api', { template: { containers: [{ image: await image('api') }] } });
    const { uri, name } = await service(emulator, 'api');
    const { identities, state, policies } = emulator.world;
    const email = 'caller@demo-project.iam.gserviceaccount.com';
    state.table('iam.serviceAccounts').set(email, { email });
    const asked = async (token?: string) =>
      (await call(emulator, uri, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).status;
    expect(await asked()).toBe(403);
    expect(await asked('nonsense')).toBe(401);
    expect(await asked(identities.identityToken(email, uri))).toBe(403);
    policies.set(name, { bindings: [{ role: 'roles/run.invoker', members: [`serviceAccount:${email}`] }] });
    expect(await asked(identities.identityToken(email, uri))).toBe(200);
    expect(await asked(identities.identityToken(email, 'https://other.example'))).toBe(401);

    // What let somebody in is of no use to the program; a token of the program's own passes as it is.
    const own = 'Bearer e30.e30.b3du';
    const seen = async (headers: Record<string, string>): Promise<Record<string, string>> =>
      ((await call(emulator, uri, { headers })).json as { headers: Record<string, string> }).headers;
    const both = await seen({
      authorization: own,
      'x-serverless-authorization': `Bearer ${identities.identityToken(email, uri)}`,
    });
    expect(both['authorization']).toBe(own);
    expect(both['x-serverless-authorization']).toMatch(/\.SIGNATURE_REMOVED_BY_GOOGLE$/);
    await open(emulator, 'api');
    expect((await seen({ authorization: own }))['authorization']).toBe(own);
  });
});
