import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inQuery, type OperationId, paths, routeOf } from '../../src/api/contract/paths.ts';
import { placesIn } from '../../src/app/places.ts';
import { logReader } from '../../src/drivers/runtime/process/logs/log-reader.ts';
import { project, service } from '../support/engine/world.ts';
import { STRANGE_NAMES, WAYS_OUT, wrongInputs } from '../support/hostile/wrong-inputs.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { tempDir } from '../support/temp.ts';

let it: WebWorld;
let ann: Somebody;
let folder: string;

beforeAll(async () => {
  folder = tempDir('bad-input');
  it = await openWebWorld({ logs: logReader() });
  it.world.engine.deps.places = placesIn({
    logs: join(folder, 'logs'),
    projects: join(folder, 'projects'),
    edgeDir: join(folder, 'edge'),
  });
  const world = peopleOf(it);
  ann = await world.somebody('ann', ['admin'], { runsServer: true });
  const began = await world.local('POST', 'projects/shop/environments/production/deploy', {
    definition: project([service('api')]),
  });
  expect(began.status).toBe(200);
}, 60_000);
afterAll(() => it.close());

/** As many as a few people make at a time. */
async function atOnce<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const hand = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await each(next);
  };
  await Promise.all(Array.from({ length: 8 }, hand));
}

interface Told {
  status: number;
  code: unknown;
  detail: string;
}

/** As whoever may do everything, so that nothing but the request itself can be refused. */
async function tell(method: string, path: string, body: unknown): Promise<Told> {
  const asked = { method: method as 'GET', path, ...(body === null ? {} : { body: body as object }) };
  const reply = await it.client.reply(asked);
  const { code, detail } = (typeof reply.body === 'object' ? reply.body : {}) as Record<string, unknown>;
  return { status: reply.status, code, detail: String(detail) };
}

describe('what cannot be read', () => {
  test('is refused by the name of its field, in every field of every operation', async () => {
    const all = wrongInputs();
    const fine: string[] = [];
    await atOnce(all, async ({ id, method, path, body, field, how }) => {
      const { status, code, detail } = await tell(method, path, body);
      const named = new RegExp(`(^|; )${field}[.:]`).test(detail);
      if (status !== 400 || code !== 'bad-request' || !named)
        fine.push(`${id} ${field} = ${how}: ${status} ${String(code)} ${detail}`);
    });
    expect(fine).toEqual([]);
    expect(all.length).toBeGreaterThan(500);
  }, 240_000);

  test('is told to no one but whoever may ask', async () => {
    const stranger = it.browser();
    for (const { path, method, body } of wrongInputs().filter((_, index) => index % 40 === 0)) {
      if (path.startsWith('/api/v1/session')) continue;
      const { status } = await stranger.ask(method, path, body ?? undefined);
      expect([path.slice(0, 80), status]).toEqual([path.slice(0, 80), 401]);
    }
  });
});

describe('a name that means something to programs', () => {
  test('is no more than a name to any operation', async () => {
    const broken: string[] = [];
    for (const id of Object.keys(paths) as OperationId[]) {
      if (['followChanges', 'stopServer', 'signOut'].includes(id)) continue;
      const { method, path, names } = routeOf(id);
      if (names.length === 0 && inQuery(method)) continue;
      await atOnce(STRANGE_NAMES, async (strange) => {
        const filled = path.replaceAll(/:(\w+)/g, () => encodeURIComponent(strange));
        const body = {
          ...bodyOf(id),
          ...Object.fromEntries(['service', 'login', 'role'].map((key) => [key, strange])),
        };
        const { status, code } = await tell(method, filled, inQuery(method) ? null : body);
        if (status >= 500 || code === 'unexpected')
          broken.push(`${id} ${strange.slice(0, 20)}: ${status} ${String(code)}`);
      });
    }
    expect(broken).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  }, 240_000);

  test('pollutes nothing from within a body or a query', async () => {
    const body = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "services": ["api"]}';
    for (const path of ['/api/v1/projects/shop/environments/production/restart', '/api/v1/tokens']) {
      const reply = await raw(path, body);
      expect(reply.status).toBe(400);
    }
    await ann.ask('GET', 'rollouts?__proto__[polluted]=1&constructor.prototype.polluted=1&limit=1');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a name that leads out of its folder', () => {
  test.each(WAYS_OUT)('is refused wherever files are called after it: %s', async (out) => {
    const here = 'projects/shop/environments/production';
    for (const path of [
      `projects/${out}/environments/production/logs`,
      `projects/shop/environments/${out}/logs`,
      `projects/shop/environments/${out}/logs?access=true`,
      `${here}/logs?instance=${out}`,
      `${here}/logs?service=${out}`,
      `${here}/logs?release=${out}`,
      `${here}/logs?job=build&instance=${out}`,
      `${here}/releases/${out}`,
      `${here}/releases/api%401?against=${out}`,
      `${here}/services/${out}/series?from=0&to=1`,
      `${here}/services/${out}/runs/1`,
    ]) {
      const { status, code } = await ann.ask('GET', path);
      expect([path, status, code]).toEqual([path, 400, 'bad-request']);
    }
  });

  test('shows nothing of the logs of others', async () => {
    const theirs = join(folder, 'logs', 'access', 'theirs');
    mkdirSync(theirs, { recursive: true });
    mkdirSync(join(folder, 'logs', 'access', 'shop'), { recursive: true });
    writeFileSync(join(theirs, 'production.log'), 'swordfish\n');
    const way = encodeURIComponent('../theirs/production');
    const reply = await fetch(`http://127.0.0.1:${it.port}/api/v1/projects/shop/environments/${way}/logs?access=true`, {
      headers: { cookie: ann.cookie ?? '' },
    });
    expect(reply.status).toBe(400);
    expect(await reply.text()).not.toContain('swordfish');
  });

  test('is no name of a service or a folder in what is deployed', async () => {
    for (const over of [
      { name: '../../api' },
      { name: 'a/b' },
      { dir: '../theirs' },
      { data: ['../../theirs'] },
      { data: ['/etc'] },
    ]) {
      const definition = project([service('api', over)]);
      const deployed = await ann.ask('POST', 'projects/shop/environments/production/deploy', { definition });
      expect([over, deployed.code]).toEqual([over, 'bad-request']);
    }
  });
});

test('what is nested deeper than anything is refused, and not followed', async () => {
  for (const levels of [100, 5_000, 400_000])
    for (const path of ['tokens', 'projects/shop/environments/production/deploy']) {
      const nested = `${'['.repeat(levels)}${']'.repeat(levels)}`;
      const { status, body } = await raw(`/api/v1/${path}`, `{"name":${nested},"definition":{"services":${nested}}}`);
      expect([path, levels, status, (body as { code: unknown }).code]).toEqual([path, levels, 400, 'bad-request']);
    }
});

test.each([
  ['half of it', '{"name": "x"'],
  ['not JSON', 'name=x'],
  ['empty', ''],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['a number', '1e999'],
  ['nothing', 'null'],
  ['two in one', '{}{}'],
  ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
])('a body that is %s is refused without a piece of it', async (_, body) => {
  const reply = await raw('/api/v1/tokens', body);
  expect(reply.status).toBe(400);
  expect(reply.body).toMatchObject({ code: 'bad-request', retryable: false });
  const form = await raw('/api/v1/tokens', 'name=x', 'application/x-www-form-urlencoded');
  expect([400, 415]).toContain(form.status);
});

async function raw(
  path: string,
  body: string | Buffer,
  type = 'application/json',
): Promise<{ status: number; body: unknown }> {
  const reply = await fetch(`http://127.0.0.1:${it.port}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { 'content-type': type, cookie: ann.cookie ?? '' },
  });
  return { status: reply.status, body: await reply.json() };
}

function bodyOf(id: OperationId): object {
  const bodies: Partial<Record<OperationId, object>> = {
    deploy: { definition: {} },
    checkMigrations: { definition: {} },
    restart: { services: ['api'] },
    setMaintenance: { on: false },
    setScale: { bounds: null },
    setSecrets: { secrets: { KEY: 'x' } },
    steerRollout: { kind: 'pause' },
    answerApproval: { kind: 'approve' },
    promoteReleases: { from: 'staging' },
    moveProject: { organization: 'default' },
    setRunsServer: { runsServer: true },
    setDisabled: { disabled: false },
    saveRole: { permissions: ['logs:read'] },
    createToken: { name: 'x' },
    signIn: { password: 'x' },
    giveCode: { code: '1' },
    openLink: { link: 'x' },
    setPassword: { password: 'x' },
    confirmSecondFactor: { code: '1' },
    createOrganization: { name: 'x' },
    renameOrganization: { name: 'default' },
  };
  return bodies[id] ?? {};
}
