import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { type ApiWorld, openApiWorld } from '../support/api-world.ts';
import { project, service } from '../support/engine/world.ts';
import { waitFor } from '../support/wait.ts';

let it: ApiWorld;
beforeEach(async () => void (it = await openApiWorld()));
afterEach(() => it.close());

const HERE = '/api/v1/projects/shop/environments/production';
const list = async (): Promise<RolloutView[]> =>
  ((await it.client.json({ path: '/api/v1/rollouts' })) as { rollouts: RolloutView[] }).rollouts;

test('a list of rollouts names labels, and reads a release once however often it is asked for', async () => {
  const names = ['a', 'b', 'c'];
  for (const label of ['v1', null]) {
    const services = names.map((name) => service(name, { routes: [{ host: null, path: `/${name}` }] }));
    await it.client.json({ method: 'POST', path: `${HERE}/deploy`, body: { definition: project(services), label } });
    await waitFor(async () => (await list())[0]?.promotedAt !== null, { what: 'it to be promoted' });
  }
  const { store } = it.world;
  const asked: string[] = [];
  const { release } = store;
  store.release = (of, id) => {
    asked.push(id);
    return release(of, id);
  };
  for (let n = 0; n < 3; n++)
    expect((await list()).map(({ services }) => services.map(({ label }) => label))).toEqual([
      [null, null, null],
      ['v1', 'v1', 'v1'],
    ]);
  // The loop reads what it moves; a list of what is over reads nothing again.
  expect(asked.filter((id) => id.endsWith('@1'))).toEqual([]);
});
