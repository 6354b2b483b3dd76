import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../../../src/domain/cloud/resource.ts';
import { runTasks, type RunOptions, type Task, type TaskEvent } from '../../../src/engine/cloud/tasks.ts';

const at = (name: string | number): Address => `bucket/${name}`;

function options(more: Partial<RunOptions> = {}): RunOptions & { events: TaskEvent[] } {
  const events: TaskEvent[] = [];
  return {
    atOnce: 8,
    signal: new AbortController().signal,
    elapsed: () => 0,
    onEvent: (event) => events.push(event),
    events,
    ...more,
  };
}

const task = (name: string | number, after: (string | number)[], run: Task['run'] = async () => {}): Task => ({
  address: at(name),
  act: 'create',
  after: after.map(at),
  run,
});

test('what does not depend on one another runs at once, and never more than allowed', async () => {
  let running = 0;
  let most = 0;
  const busy = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await sleep(2);
    running--;
  };
  const tasks = Array.from({ length: 12 }, (_, index) => task(index, [], busy));
  const { done } = await runTasks(tasks, options({ atOnce: 5 }));
  expect(done).toHaveLength(12);
  expect(most).toBe(5);
});

test('property 33: one failure does not stop the rest, and all failures are told at the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 14 }).chain((size) =>
        fc.record({
          size: fc.constant(size),
          edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 }),
          failing: fc.uniqueArray(fc.nat(size - 1), { maxLength: 5 }),
          atOnce: fc.integer({ min: 1, max: 6 }),
        }),
      ),
      async ({ size, edges, failing, atOnce }) => {
        const order: number[] = [];
        const after = (index: number): number[] =>
          edges.filter(([to, from]) => to === index && from < index).map(([, from]) => from);
        const tasks = Array.from({ length: size }, (_, index) =>
          task(index, after(index), async () => {
            await Promise.resolve();
            order.push(index);
            if (failing.includes(index)) throw new Error(`no ${index}`);
          }),
        );
        const { done, failed, skipped, left, waiting } = await runTasks(tasks, options({ atOnce }));
        const reaches = (index: number): boolean =>
          after(index).some((needed) => failing.includes(needed) || reaches(needed));
        const names = (list: { address: Address }[]): string[] => list.map(({ address }) => address).toSorted();
        const pick = (test: (index: number) => boolean): string[] =>
          Array.from({ length: size }, (_, index) => index)
            .filter(test)
            .map(at)
            .toSorted();
        expect(names(skipped)).toEqual(pick(reaches));
        expect(names(failed)).toEqual(pick((index) => !reaches(index) && failing.includes(index)));
        expect(names(done)).toEqual(pick((index) => !reaches(index) && !failing.includes(index)));
        expect([...left, ...waiting]).toEqual([]);
        for (const [position, index] of order.entries())
          for (const needed of after(index)) expect(order.slice(0, position)).toContain(needed);
      },
    ),
    { numRuns: 60 },
  );
});

test('after Ctrl-C nothing more is begun, and what was begun is told apart from what was not', async () => {
  const stop = new AbortController();
  const tasks = [
    task('a', [], async () => {
      await sleep(5);
      stop.abort();
    }),
    task('b', [], (_, signal) => sleep(60_000, undefined, { signal })),
    task('c', ['a']),
  ];
  const { done, left, waiting, failed } = await runTasks(tasks, options({ signal: stop.signal }));
  expect(done).toEqual([{ address: at('a'), act: 'create' }]);
  expect(left).toEqual([{ address: at('b'), act: 'create' }]);
  expect(waiting).toEqual([{ address: at('c'), act: 'create' }]);
  expect(failed).toEqual([]);
});

test('tells when something begins, what it is doing, and how it ended', async () => {
  const asked = options();
  await runTasks(
    [
      task('a', [], async (progress) => {
        progress({ doing: 'waiting for the operation' });
        await Promise.reject(new Error('quota'));
      }),
      task('b', ['a']),
    ],
    asked,
  );
  expect(asked.events.map(({ type, address }) => `${type} ${address}`)).toEqual([
    'begun bucket/a',
    'step bucket/a',
    'failed bucket/a',
    'skipped bucket/b',
  ]);
});

test('tasks that need one another in a circle are refused instead of left out', async () => {
  await expect(runTasks([task('a', ['b']), task('b', ['a'])], options())).rejects.toThrow('bucket/a needs bucket/b');
});
