import { expect, test } from 'vitest';
import { cloudRouting } from '../../../src/app/cloud/cloud-run.ts';
import { onCloudRun } from '../../../src/domain/cloud/run/on-cloud-run.ts';
import type { Store } from '../../../src/ports/store.ts';
import { shop } from '../../support/cloud/cloud-run-world.ts';

test('where an environment is stays known while the store is away, and one that nobody knows is on this machine', async () => {
  const config = onCloudRun(shop('image'));
  let away = false;
  const store = {
    environment: async (project: string, environment: string) => {
      if (away) throw new Error('the store is away');
      return environment === 'production' ? { project, environment, config, wanted: 'up', updatedAt: 1 } : null;
    },
    environments: async () => [],
    rollout: async () => null,
  } as unknown as Store;
  const routing = cloudRouting({ env: {}, home: '/nowhere', store, log: { warn: () => undefined } });
  const isCloud = (environment: string) => routing.isCloud({ project: 'shop', environment });
  expect([await isCloud('production'), await isCloud('staging')]).toEqual([true, false]);
  away = true;
  expect([await isCloud('production'), await isCloud('staging'), await isCloud('new')]).toEqual([true, false, false]);
});
