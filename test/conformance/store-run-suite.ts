import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/domain/schedule/run.ts';
import type { Store } from '../../src/ports/store.ts';

const scope = { project: 'chat', environment: 'production', service: 'tidy' };
const aRun = (dueAt: number, over: Partial<Run> = {}): Run => ({
  ...scope,
  dueAt,
  askedBy: null,
  release: 'tidy@1',
  state: 'running',
  startedAt: null,
  endedAt: null,
  reason: 'due',
  cancelledBy: null,
  ...over,
});
const mark = (through: number, spec = 'nightly') => ({ service: 'tidy', spec, through });

/** What every store promises of the runs of scheduled services. */
export function runSuite(store: () => Store): void {
  const all = (): Promise<Run[]> => store().runs(scope);

  describe('runs', () => {
    test('are recorded with the mark, once for a time, whoever decides upon it and however many', async () => {
      const runs = [aRun(900, { state: 'missed', endedAt: 1_001 }), aRun(1_000)];
      const decided = { from: null, mark: mark(1_000), runs };
      const answers = await Promise.all([1, 2, 3].map((fence) => store().decideRuns(scope, decided, fence)));
      expect(answers.filter(({ saved }) => saved)).toHaveLength(1);
      expect(await store().scheduleMarks('chat', 'production')).toEqual([mark(1_000)]);
      expect(await store().scheduleMarks('chat', 'staging')).toEqual([]);
      expect(await all()).toEqual(runs.toReversed());
    });

    test('are refused to an old fence and to who has seen an old mark; a time that has one keeps it', async () => {
      expect(await store().decideRuns(scope, { from: null, mark: mark(1_000), runs: [] }, 5)).toEqual({ saved: true });
      const later = { from: mark(1_000), mark: mark(2_000), runs: [aRun(2_000, { state: 'skipped' })] };
      expect(await store().decideRuns(scope, later, 4)).toEqual({ saved: false, reason: 'fence' });
      const other = { ...later, from: mark(1_000, 'hourly') };
      expect(await store().decideRuns(scope, other, 5)).toMatchObject({ saved: false });
      expect(await store().decideRuns(scope, later, 5)).toEqual({ saved: true });
      const again = { from: mark(2_000), mark: mark(1_500), runs: [] };
      expect(await store().decideRuns(scope, again, 5)).toEqual({ saved: true });
      const twice = { from: mark(1_500), mark: mark(2_000), runs: [aRun(2_000)] };
      expect(await store().decideRuns(scope, twice, 6)).toEqual({ saved: true });
      expect(await all()).toEqual([aRun(2_000, { state: 'skipped' })]);
      const none = { from: mark(2_000), mark: null, runs: [] };
      expect(await store().decideRuns(scope, none, 6)).toEqual({ saved: true });
      expect(await store().scheduleMarks('chat', 'production')).toEqual([]);
    });

    test('of one service run one at a time, whether they are due or asked for', async () => {
      const asked = await Promise.all([7, 8, 9].map((dueAt) => store().addRun(aRun(dueAt, { askedBy: 'ann' }))));
      expect(asked.filter((each) => each !== null)).toHaveLength(1);
      const due = { from: null, mark: mark(1_000), runs: [aRun(1_000)] };
      expect(await store().decideRuns(scope, due, 1)).toEqual({ saved: false, reason: 'contested' });
      expect(await store().addRun(aRun(7, { service: 'report' }))).not.toBeNull();
      const running = await store().runs({ project: 'chat', environment: 'production', running: true });
      expect(running).toHaveLength(2);
    });

    test('go on until they end, and an end is final', async () => {
      await store().addRun(aRun(7));
      expect(await store().saveRun(aRun(7, { startedAt: 8 }), 3)).toEqual({ saved: true });
      expect(await store().saveRun(aRun(7, { startedAt: 9 }), 2)).toEqual({ saved: false, reason: 'fence' });
      expect(await store().cancelRun(scope, 'ann')).toMatchObject({ cancelledBy: 'ann', startedAt: 8 });
      expect(await store().cancelRun(scope, 'ben')).toMatchObject({ cancelledBy: 'ann' });
      const ended = aRun(7, { state: 'cancelled', startedAt: 8, endedAt: 12, reason: 'cancelled by ann' });
      expect(await store().saveRun(ended, 3)).toEqual({ saved: true });
      expect(await all()).toEqual([{ ...ended, cancelledBy: 'ann' }]);
      expect(await store().saveRun(aRun(7, { state: 'done' }), 3)).toMatchObject({ saved: false });
      expect(await store().cancelRun(scope, 'ann')).toBeNull();
      expect(await store().addRun(aRun(8))).toEqual(aRun(8));
    });

    test('are forgotten but for the newest, and for the one that runs', async () => {
      await store().addRun(aRun(1));
      let from: ReturnType<typeof mark> | null = null;
      for (const dueAt of [2, 3, 4, 5]) {
        await store().decideRuns(scope, { from, mark: mark(dueAt), runs: [aRun(dueAt, { state: 'skipped' })] }, 1);
        from = mark(dueAt);
      }
      await store().addRun(aRun(1, { service: 'report' }));
      await store().forgetRuns(2);
      expect((await all()).map(({ dueAt }) => dueAt)).toEqual([5, 4, 1]);
      expect(await store().runs({ ...scope, service: 'report' })).toHaveLength(1);
    });
  });
}
