import { afterEach, describe, expect, test } from 'vitest';
import { create, open, running } from '../emulator/deployed.ts';
import { endEmulators } from '../emulator/emulated.ts';
import { DATABASE, driverAt, LABELS, never, quiet, seen } from '../support/google.ts';

afterEach(endEmulators);

describe('services on Cloud Run, as a clean-up and a status see them', () => {
  test('what was deployed is seen as it is, stops, starts, and goes', async () => {
    const { emulator, image } = await running();
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    const reference = await image('api');
    const container = { image: reference, resources: { limits: { memory: '512Mi', cpu: '1' } } };
    const template = {
      containers: [container],
      scaling: { minInstanceCount: 0, maxInstanceCount: 7 },
      timeout: '120s',
    };
    await create(emulator, 'chat-production-api', { template, labels: LABELS });
    await create(emulator, 'of-somebody', { template });
    await open(emulator, 'chat-production-api');
    const own = async () => {
      const found = (await seen(cloud, 'service')).find(({ name }) => name === 'chat-production-api');
      if (found === undefined) throw new Error('it is gone');
      return found;
    };
    expect(await own()).toMatchObject({
      location: 'europe-west1',
      state: 'ready',
      url: expect.stringMatching(/^https:/),
      labels: LABELS,
      attributes: { image: reference, memory: 512 * 2 ** 20, cpu: 1, maxInstances: 7, timeoutS: 120, public: true },
    });
    // Property 31: those of others are seen, too.
    expect((await seen(cloud, 'service')).map(({ name }) => name)).toContain('of-somebody');

    await cloud.setRunning(await own(), false, quiet, never());
    expect(await own()).toMatchObject({ state: 'stopped' });
    await cloud.setRunning(await own(), false, quiet, never());
    await cloud.setRunning(await own(), true, quiet, never());
    expect(await own()).toMatchObject({ state: 'ready', attributes: { maxInstances: 7 } });

    const gone = await own();
    await Promise.all([cloud.remove(gone, quiet, never()), cloud.remove(gone, quiet, never())]);
    expect((await seen(cloud, 'service', 'job')).map(({ name }) => name)).toEqual(['of-somebody']);
  });
});
