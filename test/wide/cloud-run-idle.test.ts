import { afterEach, expect, test } from 'vitest';
import { withDefaults } from '../support/load/options.ts';
import { startLoad } from '../support/load/load.ts';
import { waitFor } from '../support/wait.ts';
import { create, open, running, service } from '../emulator/deployed.ts';
import { endEmulators } from '../emulator/emulated.ts';

afterEach(endEmulators);

/** Around the moment at which a server of Node closes a connection if nobody tells it otherwise. */
const GAPS = [5980, 5990, 5995, 5998, 5999, 6000, 6001, 6002, 6005, 6010];

test('clients that come back after a few idle seconds lose no request', async () => {
  const { emulator, image } = await running();
  const containers = [{ image: await image('api') }];
  await create(emulator, 'api', { template: { containers } });
  await open(emulator, 'api');
  const { uri } = await service(emulator, 'api');
  const { hostname, port } = new URL(emulator.url);
  const load = await startLoad(
    withDefaults({
      target: { host: hostname, port: Number(port), hostHeader: new URL(uri).host },
      mix: [{ name: 'get', weight: 1, method: 'GET', path: '/' }],
      rate: 2,
      sessions: 1,
      idle: { users: 60, gapsMs: GAPS },
    }),
  );
  await waitFor(() => load.snapshot().requests > 250, {
    what: 'every client to come back a few times',
    timeout: 60_000,
  });
  const { failed, examples } = await load.stop();
  expect({ failed, examples }).toEqual({ failed: 0, examples: [] });
});
