import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Address } from '../../src/domain/release/release.ts';
import type { Store } from '../../src/ports/store.ts';
import { aDeployment, aProject, aRelease, aService } from './store-fixtures.ts';
import { auditSuite } from './store-audit-suite.ts';
import { leaseSuite } from './store-lease-suite.ts';
import { rolloutSuite } from './store-rollout-suite.ts';
import { scaleSuite } from './store-scale-suite.ts';
import { runSuite } from './store-run-suite.ts';

/** What every store promises, whatever keeps its rows. `open` gives an empty one. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
      onTestFinished(() => store.close());
    });

    describe('fence', () => {
      test('is higher each time, also when many ask at once', async () => {
        const fences = await Promise.all(Array.from({ length: 20 }, () => store.nextFence()));
        expect(new Set(fences).size).toBe(20);
        expect(fences).toEqual(fences.toSorted((a, b) => a - b));
        expect(await store.nextFence()).toBeGreaterThan(fences.at(-1) ?? 0);
      });
    });

    leaseSuite(() => store);

    describe('environments', () => {
      test('come back as they were saved last', async () => {
        const first = { project: 'chat', environment: 'production', config: aProject('chat'), updatedAt: 1 };
        await store.saveEnvironment({ ...first, wanted: 'up' });
        const config = { ...aProject('chat'), secrets: [] };
        const last = { ...first, wanted: 'down' as const, updatedAt: 2, config };
        await store.saveEnvironment(last);
        expect(await store.environment('chat', 'production')).toEqual(last);
        expect(await store.environments()).toEqual([last]);
      });

      test('nobody brought up are null', async () => {
        expect(await store.environment('chat', 'staging')).toBeNull();
        expect(await store.environments()).toEqual([]);
      });
    });

    describe('releases', () => {
      test('numbers grow by one for each service of a project, and are never given twice', async () => {
        const numbers = await Promise.all(
          Array.from({ length: 10 }, () => store.reserveReleaseNumbers('chat', ['api', 'web', 'api'])),
        );
        expect(numbers.map(({ api }) => api).toSorted((a = 0, b = 0) => a - b)).toEqual([
          1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
        ]);
        expect(await store.reserveReleaseNumbers('chat', ['web'])).toEqual({ web: 11 });
        expect(await store.reserveReleaseNumbers('other', ['web'])).toEqual({ web: 1 });
        expect(await store.reserveReleaseNumbers('other', [])).toEqual({});
      });

      test('come back as they were added', async () => {
        const release = aRelease('api', 1);
        await store.addReleases([release]);
        expect(await store.release('chat', 'api@1')).toEqual(release);
        expect(await store.release('chat', 'api@2')).toBeNull();
        expect(await store.release('other', 'api@1')).toBeNull();
      });

      test('are listed newest first, though a clock was set back', async () => {
        await store.addReleases([aRelease('api', 1, { createdAt: 9_000 }), aRelease('web', 1)]);
        await store.addReleases([aRelease('api', 2, { createdAt: 1_000, environment: 'staging' })]);
        await store.addReleases([aRelease('api', 1, { project: 'other' })]);
        const ids = async (query: { environment?: string; service?: string; limit?: number }) =>
          (await store.releases({ project: 'chat', ...query })).map(({ id }) => id);
        expect(await ids({})).toEqual(['api@2', 'web@1', 'api@1']);
        expect(await ids({ service: 'api' })).toEqual(['api@2', 'api@1']);
        expect(await ids({ environment: 'production' })).toEqual(['web@1', 'api@1']);
        expect(await ids({ limit: 1 })).toEqual(['api@2']);
        expect(await ids({ service: 'none' })).toEqual([]);
      });

      test('that are known are refused, and none of those added with them is kept', async () => {
        await store.addReleases([aRelease('api', 1)]);
        await expect(store.addReleases([aRelease('web', 1), aRelease('api', 1)])).rejects.toMatchObject({
          code: 'store-conflict',
          retryable: false,
        });
        expect(await store.release('chat', 'web@1')).toBeNull();
        await store.addReleases([]);
      });

      test('get their artifact once', async () => {
        await store.addReleases([aRelease('api', 1)]);
        await store.setArtifact('chat', 'api@1', 'sha256:a');
        await store.setArtifact('chat', 'api@1', 'sha256:a');
        await expect(store.setArtifact('chat', 'api@1', 'sha256:b')).rejects.toMatchObject({
          code: 'release-immutable',
        });
        await expect(store.setArtifact('chat', 'api@9', 'sha256:b')).rejects.toMatchObject({
          code: 'release-not-found',
        });
        expect(await store.release('chat', 'api@1')).toMatchObject({ artifact: 'sha256:a' });
      });
    });

    describe('deployments', () => {
      test('are created once and keep their ports', async () => {
        await store.ensureDeployments([aDeployment('api', { internalPort: 20_001, previewPort: 20_002 })]);
        await store.ensureDeployments([
          aDeployment('api', { internalPort: 30_001, previewPort: 30_002, current: 'api@7' }),
          aDeployment('web'),
        ]);
        expect(await store.deployments('chat', 'production')).toEqual([
          aDeployment('api', { internalPort: 20_001, previewPort: 20_002 }),
          aDeployment('web'),
        ]);
      });

      test('get a port later when they had none', async () => {
        await store.ensureDeployments([aDeployment('web')]);
        await store.ensureDeployments([aDeployment('web', { internalPort: 20_003 })]);
        expect(await store.deployments('chat', 'production')).toEqual([aDeployment('web', { internalPort: 20_003 })]);
      });

      test('never share a port, on the whole machine', async () => {
        await store.ensureDeployments([aDeployment('api', { internalPort: 20_001, previewPort: 20_002 })]);
        const other = aDeployment('web', { project: 'other', internalPort: 20_003, previewPort: 20_001 });
        await expect(
          store.ensureDeployments([aDeployment('ws', { internalPort: 20_009 }), other]),
        ).rejects.toMatchObject({ code: 'port-taken', retryable: true });
        expect(await store.takenPorts()).toEqual([20_001, 20_002]);
      });

      test('are of their own environment only', async () => {
        await store.ensureDeployments([aDeployment('api'), aDeployment('api', { environment: 'staging' })]);
        expect(await store.deployments('chat', 'staging')).toEqual([aDeployment('api', { environment: 'staging' })]);
        expect(await store.deployments('other', 'staging')).toEqual([]);
      });
    });

    describe('addresses', () => {
      const address = (release: string, port: number, over: Partial<Address> = {}): Address => ({
        project: 'chat',
        environment: 'production',
        release,
        service: 'api',
        port,
        ...over,
      });

      test('are given once, and taken back with the release that asks', async () => {
        await store.giveAddresses([address('web@1', 21_001), address('web@2', 21_002)]);
        await store.giveAddresses([address('web@2', 21_009), address('web@2', 21_003, { service: 'mail' })]);
        expect(await store.addresses('chat', 'production')).toEqual([
          address('web@1', 21_001),
          address('web@2', 21_002),
          address('web@2', 21_003, { service: 'mail' }),
        ]);
        expect(await store.addresses('chat', 'staging')).toEqual([]);
        expect(await store.takenPorts()).toEqual([21_001, 21_002, 21_003]);
        await store.takeAddresses({ project: 'chat', environment: 'staging' }, ['web@2']);
        await store.takeAddresses({ project: 'chat', environment: 'production' }, ['web@2']);
        await store.takeAddresses({ project: 'chat', environment: 'production' }, []);
        expect(await store.addresses('chat', 'production')).toEqual([address('web@1', 21_001)]);
      });

      test('have a port that nobody else has', async () => {
        await store.ensureDeployments([aDeployment('api', { internalPort: 20_001, previewPort: null })]);
        await expect(store.giveAddresses([address('web@1', 21_001), address('web@2', 20_001)])).rejects.toMatchObject({
          code: 'port-taken',
          retryable: true,
        });
        expect(await store.addresses('chat', 'production')).toEqual([]);
        await store.giveAddresses([address('web@1', 21_001)]);
        await expect(
          store.ensureDeployments([aDeployment('ws', { internalPort: 21_001, previewPort: null })]),
        ).rejects.toMatchObject({ code: 'port-taken' });
      });
    });

    rolloutSuite(() => store);
    runSuite(() => store);
    scaleSuite(() => store);
    auditSuite(() => store);

    test('text is kept whatever it holds', async () => {
      const odd = `O'Brien "; drop table releases; -- 🚢 ${'x'.repeat(5_000)} \n`;
      const release = aRelease('api', 1, { createdBy: odd, config: { ...aService('api'), env: { ODD: [odd] } } });
      await store.addReleases([release]);
      expect(await store.release('chat', 'api@1')).toEqual(release);
    });

    test('a closed store says so', async () => {
      await store.close();
      await expect(store.environments()).rejects.toMatchObject({ code: 'store-closed' });
      await expect(store.nextFence()).rejects.toMatchObject({ code: 'store-closed' });
    });

    test('what was asked for before closing is still written', async () => {
      const fences = [store.nextFence(), store.nextFence()];
      await store.close();
      expect(await Promise.all(fences)).toEqual([1, 2]);
    });
  });
}
