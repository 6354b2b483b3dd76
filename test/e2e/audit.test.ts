import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { ActView } from '../../src/api/contract/audit.ts';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { loadProject } from '../../src/config/load-project.ts';
import { readToken } from '../../src/platform/tokens.ts';
import { unixClient, type UnixReply } from '../../src/platform/unix-http.ts';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { FOLDER, give, type Order, withdraw } from '../support/checkpoints/order.ts';
import { pathOf } from '../support/evenkeel-home.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const orders = join(tempDir('orders'), 'checkpoints');
mkdirSync(orders);
system.env[FOLDER] = orders;
system.env['EVENKEEL_CONTROLLER_ENTRY'] = fileURLToPath(
  new URL('../support/checkpoints/controller-entry.ts', import.meta.url),
);

afterEach(() => withdraw(orders));

/** The rollout is written, and whoever asked for it has no answer. */
const WRITTEN: Order = { part: 'controller', moment: 'between', of: 'pending' };

async function running(name: string): Promise<Folder> {
  const shop = await folder({ name });
  const up = await system.cli(['up'], { cwd: shop.root });
  expect(up.code, told(up)).toBe(0);
  shop.program(app('v2'));
  return shop;
}

const rollouts = async (project: string): Promise<RolloutView[]> =>
  (await system.get<{ rollouts: RolloutView[] }>(`/api/v1/rollouts?project=${project}`)).rollouts;
const acts = async (query: string): Promise<ActView[]> =>
  (await system.get<{ acts: ActView[] }>(`/api/v1/audit?${query}`)).acts;

/** As a program does that has its own idea of when to ask again. */
async function deploy({ root }: Folder, key: string): Promise<UnixReply> {
  const loaded = await loadProject({ root, environment: 'development', processEnv: system.env });
  if (!loaded.ok) throw new Error('the project is not well');
  const token = (await readToken(system.paths.token)) ?? '';
  const client = unixClient({ socketPath: system.paths.controllerSocket, peer: 'The controller', token });
  const path = `${pathOf(loaded.project.name, 'development')}/deploy`;
  const body = { definition: loaded.project };
  return client
    .reply({ method: 'POST', path, body, headers: { 'idempotency-key': key } })
    .finally(() => client.close());
}

describe('a kill -9 of the controller between an act and its answer', () => {
  test('lets a deploy that is repeated with its key begin nothing twice', async () => {
    const shop = await running('twice');
    const key = randomUUID();
    give(orders, WRITTEN);
    await expect(deploy(shop, key)).rejects.toMatchObject({ code: 'peer-unreachable' });
    const again = await waitFor(() => deploy(shop, key), { what: 'the next controller to answer', timeout: 30_000 });
    expect(again).toMatchObject({ status: 409, body: { code: 'outcome-unknown' } });
    expect(await rollouts('twice')).toHaveLength(2);
    // It is carried out by the controller that came after, and nobody knows what became of the call.
    const [newest] = await rollouts('twice');
    await system.reach(newest?.id ?? '', ({ phase }) => phase === 'watching', 'its end');
    expect(await acts('project=twice&result=unknown')).toMatchObject([{ operation: 'deploy', answeredAt: null }]);
    expect(await deploy(shop, key)).toMatchObject({ body: { code: 'outcome-unknown' } });
    expect(await rollouts('twice')).toHaveLength(2);
    const listed = await system.cli(['audit'], { cwd: shop.root });
    expect(listed.stdout).toContain('no result known');
  });

  test('is told by the command, which has asked again by itself', async () => {
    const shop = await running('typed');
    give(orders, WRITTEN);
    const typed = await system.cli(['deploy', 'api', '--json'], { cwd: shop.root });
    expect(typed.code, told(typed)).toBe(2);
    expect(errorOf(typed)).toMatchObject({
      code: 'outcome-unknown',
      next: expect.stringContaining('evenkeel rollouts'),
    });
    expect(await rollouts('typed')).toHaveLength(2);
  });
});

describe('the audit', () => {
  test('is what people did, and shows what somebody changed in the database', async () => {
    const shop = await running('told');
    const at = { cwd: shop.root };
    await system.cli(['secrets', 'set', 'KEY'], { ...at, input: 'a-value-that-nobody-sees' });
    await system.cli(['maintenance', 'on'], at);
    await system.cli(['maintenance', 'off', 'nobody'], at);
    await waitFor(async () => (await acts('project=told')).length === 4, { what: 'all of it' });
    const listed = await system.cli(['audit', '--json'], at);
    const { acts: seen } = JSON.parse(listed.stdout) as { acts: ActView[] };
    expect(seen.map(({ operation, result }) => [operation, result])).toEqual([
      ['setMaintenance', 'refused'],
      ['setMaintenance', 'done'],
      ['setSecrets', 'done'],
      ['deploy', 'done'],
    ]);
    const exported = await system.cli(['audit', 'export'], at);
    const lines = exported.stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(8);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ operation: 'deploy', project: 'told' });
    const csv = await system.cli(['audit', 'export', '--format', 'csv'], at);
    expect(`${exported.stdout}${csv.stdout}${listed.stdout}`).not.toContain('a-value-that-nobody-sees');
    expect(readFileSync(system.paths.store).includes('a-value-that-nobody-sees')).toBe(false);

    expect(statSync(system.paths.auditAnchor).mode & 0o777).toBe(0o600);
    const sound = await system.cli(['audit', 'verify'], at);
    expect(sound.code, told(sound)).toBe(0);
    const closed = seen.find(({ operation, result }) => operation === 'setMaintenance' && result === 'done');
    const seq = closed?.seq ?? 0;
    tamper(`update audit set who = 'eve' where seq = ${seq}`);
    expect((await verify(at)).stdout).toContain(`entry ${seq} was changed`);
    tamper(`update audit set who = '${closed?.who}' where seq = ${seq}`);
    // The end of it, and the counter that would tell.
    const last = (await acts('limit=1'))[0]?.seq ?? 0;
    tamper(`delete from audit where seq >= ${last}; update counters set value = ${last - 1} where name = 'audit'`);
    expect((await verify(at)).stdout).toMatch(/entries \d+ to \d+ are missing at the end/);
    for (const on of ['on', 'off', 'on', 'off']) await system.cli(['maintenance', on], at);
    expect((await verify(at)).stdout).toMatch(/is another one than the anchor file says/);
  });

  async function verify(at: { cwd: string }) {
    const found = await system.cli(['audit', 'verify'], at);
    expect(found.code, told(found)).toBe(2);
    return found;
  }

  function tamper(sql: string): void {
    const database = new DatabaseSync(system.paths.store, { timeout: 5_000 });
    database.exec(sql);
    database.close();
  }
});
