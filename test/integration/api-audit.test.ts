import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ActView } from '../../src/api/contract/audit.ts';
import type { UnixClient } from '../../src/platform/unix-http.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import type { Store } from '../../src/ports/store.ts';
import { openApi, type SocketApi } from '../support/engine/api.ts';
import { auditInMemory, auditorOf } from '../support/engine/audit.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

const HERE = '/api/v1/projects/shop/environments/production';
const HOUR = 3_600_000;

let world: World;
let api: SocketApi;
let ann: UnixClient;
let files: ReturnType<typeof auditInMemory>;
/** What the store refuses at present. */
let away: (method: string) => boolean;
let restarted: () => Promise<{ ok: boolean; reason: string }>;

beforeEach(async () => {
  world = await openWorld();
  files = auditInMemory();
  away = () => false;
  restarted = async () => ({ ok: true, reason: '' });
  const store = new Proxy(world.store, {
    get: (target, name: keyof Store) =>
      away(name)
        ? () => Promise.reject(new EvenkeelError({ code: 'store-busy', what: 'away', retryable: true, exit: 2 }))
        : target[name],
  });
  const held = { ...world, engine: { ...world.engine, deps: { ...world.engine.deps, store } } };
  api = await openApi(held, {
    audit: auditorOf(held, files),
    redact: async (text) => text.replaceAll('hunter2', '•••'),
    restartEdge: () => restarted(),
  });
  ann = api.client('ann');
});
afterEach(async () => {
  await api.close();
  await world.close();
});

const acts = async (query = ''): Promise<ActView[]> =>
  ((await ann.json({ path: `/api/v1/audit${query}` })) as { acts: ActView[] }).acts;
const post = (path: string, body: object = {}): Promise<{ status: number; body: unknown }> =>
  ann.reply({ method: 'POST', path, body });
const deploy = (config = service('api'), over = {}) =>
  post(`${HERE}/deploy`, { definition: project([config]), ...over });

describe('an act', () => {
  test('is told with who, from where, on what, and what came of it', async () => {
    await deploy();
    await api.client('ben').json({ method: 'PUT', path: `${HERE}/maintenance`, body: { on: true } });
    const [closed, begun] = await acts();
    expect(closed).toMatchObject({
      who: 'ben',
      identity: 'local',
      source: 'socket',
      operation: 'setMaintenance',
      project: 'shop',
      environment: 'production',
      result: 'done',
      input: { on: true, services: null },
      before: { closed: [] },
      after: { closed: ['api'] },
    });
    expect(begun).toMatchObject({
      who: 'ann',
      operation: 'deploy',
      rollout: expect.any(String),
      before: { serving: [] },
    });
    expect(begun?.answeredAt).toBeGreaterThanOrEqual(begun?.at ?? Infinity);
  });

  test('of a rollout is told with where that is, and refused when it had no effect', async () => {
    const { body } = await deploy(service('api', { rollout: policy({ canary: [{ weight: 10, forMs: HOUR }] }) }));
    const { rollout } = body as { rollout: string };
    await post(`/api/v1/rollouts/${rollout}/requests`, { kind: 'resume' });
    expect((await acts('?operation=steerRollout'))[0]).toMatchObject({
      project: 'shop',
      environment: 'production',
      rollout,
      result: 'refused',
      code: expect.any(String),
      input: { kind: 'resume' },
    });
  });

  test('of a deploy is told by the digest of its definition and where it differs, without its values', async () => {
    await deploy(service('api', { env: { PASSWORD: ['swordfish'] } }));
    await world.store.environment('shop', 'production');
    await deploy(service('api', { env: { PASSWORD: ['swordfish2'] }, run: 'node b.js' }), { replace: true });
    const [act] = await acts('?operation=deploy');
    const { definition } = (act ?? {}).input as { definition: { digest: string; changed: string[] } };
    expect(definition.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(definition.changed).toEqual(['services.api.run', 'services.api.env.PASSWORD']);
    expect(JSON.stringify(await acts())).not.toContain('swordfish');
  });

  test('never tells the value of a secret, whether it is known by then or not', async () => {
    world.secrets.list = async () => [{ name: 'KEY', updatedAt: 0, setBy: null, version: 'v7' }];
    await post(`${HERE}/secrets`, { secrets: { KEY: 'swordfish' } });
    await post(`${HERE}/rollback`, { comment: 'the password is hunter2' });
    const everything = JSON.stringify([await acts(), await world.store.auditEntries({ after: 0, limit: 100 })]);
    expect(everything).not.toMatch(/swordfish|hunter2/);
    expect(everything).toContain('the password is •••');
    expect((await acts('?operation=setSecrets'))[0]).toMatchObject({
      input: { names: ['KEY'] },
      before: { versions: { KEY: 'v7' } },
      after: { versions: { KEY: 'v7' } },
    });
  });

  test('that is refused, unreadable or impossible is told as such', async () => {
    await post(`${HERE}/down`);
    await post(`${HERE}/secrets`, { secrets: { 'hunter2-as-a-name': 'x' } });
    await post('/api/v1/rollouts/none/requests', { kind: 'abort' });
    restarted = async () => ({ ok: false, reason: 'the new edge did not start' });
    await post('/api/v1/server/restart-edge');
    restarted = () => Promise.reject(new Error('oops'));
    await post('/api/v1/server/restart-edge');
    expect((await acts()).map(({ operation, result, code, project: of }) => [operation, result, code, of])).toEqual([
      ['restartEdge', 'failed', 'unexpected', null],
      ['restartEdge', 'failed', 'edge-not-replaced', null],
      ['steerRollout', 'refused', 'rollout-unknown', null],
      ['setSecrets', 'refused', 'bad-request', 'shop'],
      ['down', 'refused', 'environment-unknown', 'shop'],
    ]);
    expect(JSON.stringify(await acts())).not.toContain('hunter2');
  });

  test('whose end nobody wrote has no known result', async () => {
    const end = Promise.withResolvers<{ ok: boolean; reason: string }>();
    restarted = () => end.promise;
    const asked = post('/api/v1/server/restart-edge');
    await expect.poll(async () => acts()).toMatchObject([{ operation: 'restartEdge', result: 'unknown' }]);
    expect(await acts('?result=unknown')).toHaveLength(1);
    end.resolve({ ok: true, reason: '' });
    await asked;
    expect(await acts('?result=done')).toHaveLength(1);
  });

  test('that only looks is not told', async () => {
    for (const path of ['/api/v1/status', '/api/v1/rollouts', `${HERE}/secrets`]) await ann.json({ path });
    expect(await acts()).toEqual([]);
  });
});

describe('while the store is away', () => {
  test('nothing is begun that cannot be written down first', async () => {
    const built = world.builder.built.length;
    away = (method) => method === 'appendAudit' || method === 'claimKey';
    files.unwritten.add = () => Promise.reject(new Error('ENOSPC'));
    expect(await deploy()).toMatchObject({ status: 503, body: { code: 'store-busy' } });
    expect(world.builder.built.length).toBe(built);
    away = () => false;
    expect(await ann.json({ path: '/api/v1/rollouts' })).toMatchObject({ rollouts: [] });
  });

  test('what takes back works, and is in the audit when it is there again, before what comes then', async () => {
    const { body } = await deploy(service('api', { rollout: policy({ canary: [{ weight: 10, forMs: HOUR }] }) }));
    const { rollout } = body as { rollout: string };
    away = (method) => ['appendAudit', 'claimKey'].includes(method);
    const aborted = await ann.reply({
      method: 'POST',
      path: `/api/v1/rollouts/${rollout}/requests`,
      body: { kind: 'abort' },
      headers: { 'idempotency-key': 'k1' },
    });
    expect(aborted).toMatchObject({ status: 200 });
    expect(files.waiting.map(({ kind, operation }) => [kind, operation])).toEqual([
      ['asked', 'steerRollout'],
      ['answered', 'steerRollout'],
    ]);
    away = () => false;
    await post('/api/v1/server/restart-edge');
    expect((await acts()).map(({ operation, result }) => [operation, result])).toEqual([
      ['restartEdge', 'done'],
      ['steerRollout', 'done'],
      ['deploy', 'done'],
    ]);
    expect(await ann.json({ path: '/api/v1/audit/verification' })).toMatchObject({ entries: 6, findings: [] });
    // Also where even the home cannot be written: taking back comes first.
    away = (method) => method === 'appendAudit';
    files.unwritten.add = () => Promise.reject(new Error('ENOSPC'));
    expect(await post('/api/v1/server/restart-edge')).toMatchObject({ status: 200 });
  });
});

describe('the chain', () => {
  test('is listed in pages, and by who, what, where and when', async () => {
    for (let count = 0; count < 5; count++) await post('/api/v1/server/restart-edge');
    const seen: number[] = [];
    for (let next: string | null = ''; next !== null;) {
      const before: string = next === '' ? '' : `&before=${next}`;
      const page = (await ann.json({ path: `/api/v1/audit?limit=2${before}` })) as {
        acts: ActView[];
        next: string | null;
      };
      seen.push(...page.acts.map(({ seq }) => seq));
      next = page.next;
    }
    expect(seen).toEqual([9, 7, 5, 3, 1]);
    expect(await acts('?who=ben')).toEqual([]);
    expect(await acts('?who=ann&operation=restartEdge&to=1')).toEqual([]);
    expect(await ann.reply({ path: '/api/v1/audit?before=x' })).toMatchObject({ status: 400 });
  });

  test('is sent as a file of lines, and as one of cells that are no formulas', async () => {
    const eve = api.client('=HYPERLINK("http://x")');
    await eve.json({ method: 'POST', path: '/api/v1/server/restart-edge', body: {} });
    const file = async (format: string): Promise<string[]> => {
      const lines: string[] = [];
      for await (const line of ann.lines({ path: `/api/v1/audit/export?format=${format}` })) lines.push(line);
      return lines;
    };
    const [json, csv] = [await file('ndjson'), await file('csv')];
    expect(json.map((line) => JSON.parse(line) as object)).toMatchObject([
      { seq: 1, kind: 'asked', operation: 'restartEdge' },
      { seq: 2, kind: 'answered', result: 'done' },
    ]);
    expect(csv[0]).toMatch(/^seq,at,kind,who,/);
    expect(csv[1]).toContain(`,"'=HYPERLINK(""http://x"")",`);
    expect(csv).toHaveLength(3);
  });
});
