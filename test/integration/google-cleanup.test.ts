import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isOwn, type Kind } from '../../src/domain/cloud/resource.ts';
import { kindDrivers } from '../../src/drivers/cloud/google/kinds.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { CONFIG, DATABASE, desiredFor, driverAt, never, quiet, SCOPE, seen, setUp } from '../support/google.ts';

afterEach(endEmulators);

describe('leaving Google Cloud', () => {
  test(
    'everything that was made can be removed, twice and at once, a full bucket too, and others keep theirs',
    { timeout: 60_000 },
    async () => {
      const emulator = await emulated();
      const { cloud } = await driverAt(emulator, { database: DATABASE });
      await setUp(cloud, desiredFor({ ...CONFIG, network: null, database: DATABASE }));
      const [full] = CONFIG.buckets;
      for (const name of ['a.txt', 'deep/b.txt', 'c'])
        await ask(
          emulator,
          'POST',
          'storage',
          `/upload/storage/v1/b/${full?.name}/o?uploadType=media&name=${encodeURIComponent(name)}`,
          {
            body: Buffer.from('content'),
            headers: { 'content-type': 'text/plain' },
          },
        );
      await ask(emulator, 'POST', 'storage', '/storage/v1/b?project=demo-project', {
        body: { name: 'of-somebody-else' },
      });
      const sized = [];
      for await (const look of cloud.look(['bucket'], { deadlineMs: 20_000, sizes: true, signal: never() }))
        if ('resources' in look) sized.push(...look.resources);
      expect(sized.find(({ name }) => name === full?.name)).toMatchObject({ size: { bytes: 21, objects: 3 } });

      const kinds = Object.keys(kindDrivers).filter((kind) => kind !== 'api' && kind !== 'log-retention') as Kind[];
      const all = await seen(cloud, ...kinds);
      const ours = all.filter((one) => isOwn(one.labels, SCOPE) || one.kind === 'audit-logs');
      expect(new Set(ours.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(11);
      // Alerts first: what they refer to is not deleted.
      const parts = ours
        .filter(({ kind }) => kind !== 'sql-database' && kind !== 'sql-user')
        .toSorted((a, b) => Number(b.kind === 'alert-policy') - Number(a.kind === 'alert-policy'));
      for (const one of parts)
        await Promise.all([cloud.remove(one, quiet, never()), cloud.remove(one, quiet, never())]);
      for (const one of parts) await cloud.remove(one, quiet, never());
      const left = await seen(cloud, ...kinds);
      expect(left.map(({ kind, name }) => `${kind}/${name}`)).toEqual(['bucket/of-somebody-else']);
    },
  );

  test('APIs can be switched off at the end', async () => {
    const emulator = await emulated({ on: ['run'] });
    const { cloud } = await driverAt(emulator);
    const run = (await seen(cloud, 'api')).find(({ name }) => name === 'run.googleapis.com');
    if (run === undefined) throw new Error('it is off');
    await cloud.remove(run, quiet, never());
    expect((await seen(cloud, 'api')).map(({ name }) => name)).not.toContain('run.googleapis.com');
  });
});

test('nothing of Google is loaded before it is needed', () => {
  const driver = join(import.meta.dirname, '../../src/drivers/cloud/google/google-cloud.ts');
  const program = `
    import { registerHooks } from 'node:module';
    const packages = new Set();
    registerHooks({ load(url, context, next) { const [, name] = /node_modules\\/(.+)/.exec(url) ?? []; if (name) packages.add(name); return next(url, context); } });
    await import(${JSON.stringify(driver)});
    console.log(JSON.stringify([...packages]));`;
  expect(
    JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })),
  ).toEqual([]);
});
