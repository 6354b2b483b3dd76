import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import type { Store } from '../../src/ports/store.ts';
import { aDeployment, aJudgedRollout, anEntry, aProject, aRequest, aRollout } from './store-fixtures.ts';

/** What every store promises of rollouts: the part of the suite about them, their journals and their requests. */
export function rolloutSuite(store: () => Store): void {
  const created = async (rollout: Rollout): Promise<Rollout> => {
    const result = await store().createRollout(rollout, anEntry());
    if (!result.created) throw new Error(`refused for ${result.active?.id}`);
    return result.rollout;
  };
  const saved = async (rollout: Rollout, fence = rollout.fence, entries = [anEntry()]): Promise<Rollout> => {
    const result = await store().saveRollout(rollout, fence, entries);
    if (!result.saved) throw new Error(`refused for its ${result.reason}`);
    return result.rollout;
  };

  describe('creating a rollout', () => {
    test('is refused when what serves is not what it was made from', async () => {
      await store().ensureDeployments([aDeployment('api')]);
      const first = await created(aRollout('first', ['api']));
      await store().saveRollout(
        { ...first, end: 'complete', phase: 'complete' },
        first.fence,
        [anEntry()],
        [{ service: 'api', current: 'api@2', former: null }],
      );
      const late = aRollout('late', ['api']);
      expect(await store().createRollout(late, anEntry(), [{ service: 'api', current: 'api@1' }])).toEqual({
        created: false,
        active: null,
      });
      expect(await store().rollout('late')).toBeNull();
      const now = await store().createRollout(late, anEntry(), [{ service: 'api', current: 'api@2' }]);
      expect(now).toMatchObject({ created: true });
    });

    test('the end of a window changes what is hot, not what serves', async () => {
      const { project, environment } = aDeployment('api');
      await store().ensureDeployments([aDeployment('api')]);
      const first = await created(aRollout('first', ['api']));
      const promoted = [{ service: 'api', current: 'api@2', former: 'api@1' }];
      const watching = await store().saveRollout(first, first.fence, [anEntry()], promoted);
      if (!watching.saved) throw new Error('refused');
      await store().saveRollout(watching.rollout, first.fence, [anEntry()], [{ service: 'api', former: null }]);
      const [deployment] = await store().deployments(project, environment);
      expect(deployment).toMatchObject({ current: 'api@2', former: null });
    });

    test('keeps all of it, with its first line', async () => {
      const rollout = aJudgedRollout('r1');
      expect(await created(rollout)).toEqual(rollout);
      expect(await store().rollout('r1')).toEqual(rollout);
      expect(await store().journal('r1')).toEqual([{ ...anEntry(), rollout: 'r1', seq: 1, fence: 0 }]);
      expect(await store().rollout('r2')).toBeNull();
    });

    test('is refused while one of the services has one that is not over', async () => {
      const first = await created(aRollout('r1', ['api', 'web']));
      expect(await store().createRollout(aRollout('r2', ['ws', 'web']), anEntry())).toEqual({
        created: false,
        active: first,
      });
      expect(await store().rollout('r2')).toBeNull();
      expect(await store().journal('r2')).toEqual([]);
      await created(aRollout('r3', ['ws']));
      await created(aRollout('r4', ['api'], { environment: 'staging' }));
      await created(aRollout('r5', ['api'], { project: 'other' }));
    });

    test('is possible once the other is watching, or has ended', async () => {
      const first = await created(aRollout('r1', ['api']));
      const promoting = await saved({ ...first, phase: 'promoting' });
      expect((await store().createRollout(aRollout('r2', ['api']), anEntry())).created).toBe(false);
      await saved({ ...promoting, phase: 'watching' });
      const second = await created(aRollout('r2', ['api']));
      expect((await store().createRollout(aRollout('r3', ['api']), anEntry())).created).toBe(false);
      await saved({ ...second, end: 'aborted', endedAt: 5 });
      await created(aRollout('r3', ['api']));
    });

    test('is possible while the other takes away what only former releases needed', async () => {
      const first = await created(aRollout('r1', ['api']));
      await saved({ ...first, phase: 'contracting', contract: { api: 'begun' } });
      await created(aRollout('r2', ['api']));
    });

    test('lets one of many win', async () => {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store().createRollout(aRollout(`r${index}`, ['api']), anEntry())),
      );
      expect(results.filter((result) => result.created)).toHaveLength(1);
      expect(await store().rollouts({})).toHaveLength(1);
    });

    test('refuses an id that exists', async () => {
      await created(aRollout('r1', ['api']));
      await expect(store().createRollout(aRollout('r1', ['web']), anEntry())).rejects.toMatchObject({
        code: 'store-conflict',
      });
    });
  });

  describe('saving a rollout', () => {
    test('writes state, lines and deployments together', async () => {
      await store().ensureDeployments([aDeployment('api', { internalPort: 20_001 }), aDeployment('web')]);
      const first = await created(aRollout('r1', ['api']));
      const next = { ...first, phase: 'watching', promotedAt: 7, paused: null } as const;
      const entries = [
        anEntry({ from: 'pending', to: 'promoting', detail: {} }),
        anEntry({ from: 'promoting', to: 'watching', at: 7, detail: { nested: { list: [1, null, 'x'] } } }),
      ];
      const result = await store().saveRollout(next, 4, entries, [{ service: 'api', current: 'api@1', former: null }]);
      const rollout = { ...next, fence: 4, version: 2 };
      expect(result).toEqual({ saved: true, rollout });
      expect(await store().rollout('r1')).toEqual(rollout);
      expect(await store().journal('r1')).toEqual([
        { ...anEntry(), rollout: 'r1', seq: 1, fence: 0 },
        { ...entries[0], rollout: 'r1', seq: 2, fence: 4 },
        { ...entries[1], rollout: 'r1', seq: 3, fence: 4 },
      ]);
      expect(await store().deployments('chat', 'production')).toEqual([
        aDeployment('api', { internalPort: 20_001, current: 'api@1' }),
        aDeployment('web'),
      ]);
    });

    test('writes down whose contract has begun, and leaves what serves as it is', async () => {
      await store().ensureDeployments([aDeployment('api', { internalPort: 20_001 })]);
      const first = await created(aRollout('r1', ['api']));
      const serving = await store().saveRollout(first, 4, [], [{ service: 'api', current: 'api@2', former: 'api@1' }]);
      if (!serving.saved) throw new Error('not saved');
      await store().saveRollout(serving.rollout, 4, [], [{ service: 'api', contracted: 'api@2' }]);
      expect(await store().deployments('chat', 'production')).toEqual([
        aDeployment('api', { internalPort: 20_001, current: 'api@2', former: 'api@1', contracted: 'api@2' }),
      ]);
    });

    test('moves the public port with it, from where it is said to be alone', async () => {
      const anEnvironment = {
        project: 'chat',
        environment: 'production',
        config: aProject('chat'),
        wanted: 'up' as const,
        updatedAt: 1,
      };
      const port = async () => (await store().environment('chat', 'production'))?.config.environment.port;
      await store().saveEnvironment(anEnvironment);
      const before = (await port()) ?? 0;
      const from = { port: before, bind: '127.0.0.1' };
      const to = { port: 9090, bind: '127.0.0.1' };
      const first = await created(aRollout('r1', ['api']));
      const next = await store().saveRollout(first, 1, [anEntry()], [], { from: null, to });
      if (!next.saved) throw new Error('not saved');
      expect(await port()).toBe(9090);
      await store().saveEnvironment({ ...anEnvironment, wanted: 'down' }, { keepListen: true });
      expect(await store().environment('chat', 'production')).toMatchObject({
        wanted: 'down',
        config: { environment: to },
      });
      const elsewhere = { from, to: { port: 7070, bind: '::' } };
      const last = await store().saveRollout(next.rollout, 1, [], [], elsewhere);
      expect([last.saved, await port()]).toEqual([true, 9090]);
      expect(await store().saveRollout(next.rollout, 1, [], [], { from: null, to: from })).toMatchObject({
        saved: false,
      });
      expect(await port()).toBe(9090);
    });

    test('changes nothing when somebody wrote since it was read', async () => {
      const first = await created(aRollout('r1', ['api']));
      const second = await saved({ ...first, phase: 'building' });
      const late = await store().saveRollout(
        { ...first, phase: 'canary' },
        0,
        [anEntry()],
        [{ service: 'api', current: 'api@1', former: null }],
      );
      expect(late).toEqual({ saved: false, reason: 'version' });
      expect(await store().rollout('r1')).toEqual(second);
      expect(await store().journal('r1')).toHaveLength(2);
      expect(await store().deployments('chat', 'production')).toEqual([]);
    });

    test('is refused to a controller whose fence is not the highest any more', async () => {
      const first = await created(aRollout('r1', ['api']));
      const second = await saved(first, 9);
      expect(await store().saveRollout(second, 8, [])).toEqual({ saved: false, reason: 'fence' });
      expect(await store().saveRollout(first, 8, [])).toEqual({ saved: false, reason: 'fence' });
      expect(await saved(second, 9)).toMatchObject({ version: 3, fence: 9 });
    });

    test('has one winner of many', async () => {
      const first = await created(aRollout('r1', ['api']));
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store().saveRollout({ ...first, step: index }, 1, [anEntry()])),
      );
      expect(results.filter((result) => result.saved)).toHaveLength(1);
      expect(await store().journal('r1')).toHaveLength(2);
    });

    test('says that there is no such rollout', async () => {
      await expect(store().saveRollout(aRollout('r9', ['api']), 1, [])).rejects.toMatchObject({
        code: 'rollout-not-found',
      });
    });

    test('refuses what it could not read again, and writes nothing', async () => {
      const first = await created(aRollout('r1', ['api']));
      await expect(store().saveRollout({ ...first, step: Number.NaN }, 1, [])).rejects.toMatchObject({
        code: 'store-invalid',
      });
      expect(await store().rollout('r1')).toEqual(first);
    });
  });

  describe('listing rollouts', () => {
    test('goes from the newest to the oldest and takes filters', async () => {
      const first = await created(aRollout('r1', ['api', 'web'], { createdAt: 9_000 }));
      await saved({ ...first, end: 'failed', endedAt: 1 });
      const second = await created(aRollout('r2', ['web'], { createdAt: 1_000 }));
      await saved({ ...second, end: 'complete', phase: 'complete', endedAt: 1, settled: true });
      await created(aRollout('r3', ['web']));
      await created(aRollout('r4', ['web'], { environment: 'staging' }));
      await created(aRollout('r5', ['web'], { project: 'other' }));
      const ids = async (query: Parameters<Store['rollouts']>[0]) =>
        (await store().rollouts(query)).map(({ id }) => id);
      expect(await ids({})).toEqual(['r5', 'r4', 'r3', 'r2', 'r1']);
      expect(await ids({ project: 'chat' })).toEqual(['r4', 'r3', 'r2', 'r1']);
      expect(await ids({ project: 'chat', environment: 'production' })).toEqual(['r3', 'r2', 'r1']);
      expect(await ids({ service: 'api' })).toEqual(['r1']);
      expect(await ids({ unsettled: true })).toEqual(['r5', 'r4', 'r3', 'r1']);
      expect(await ids({ unsettled: false, project: 'chat', service: 'web', limit: 2 })).toEqual(['r4', 'r3']);
    });
  });

  describe('requests', () => {
    test('are numbered for each rollout and come in order', async () => {
      await created(aRollout('r1', ['api']));
      await created(aRollout('r2', ['web']));
      const asked = await Promise.all(
        (['pause', 'resume', 'abort'] as const).map((kind) => store().addRequest(aRequest('r1', { kind }))),
      );
      expect(asked.map(({ seq, kind }) => [seq, kind])).toEqual([
        [1, 'pause'],
        [2, 'resume'],
        [3, 'abort'],
      ]);
      const other = await store().addRequest(aRequest('r2', { comment: 'too slow', force: true }));
      expect(other).toEqual({ ...aRequest('r2', { comment: 'too slow', force: true }), seq: 1 });
      expect(await store().requests('r1', 0)).toEqual(asked);
      expect(await store().requests('r1', 2)).toEqual(asked.slice(2));
      expect(await store().requests('r2', 0)).toEqual([other]);
    });

    test('do not stand in the way of whoever is writing the rollout', async () => {
      const rollout = await created(aRollout('r1', ['api']));
      await store().addRequest(aRequest('r1'));
      expect(await saved({ ...rollout, requestSeq: 1 })).toMatchObject({ version: 2 });
    });

    test('need a rollout', async () => {
      await expect(store().addRequest(aRequest('r9'))).rejects.toMatchObject({ code: 'rollout-not-found' });
    });
  });
}
