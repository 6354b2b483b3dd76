import { expect, test } from 'vitest';
import { FORMER_RELEASES } from '../../src/domain/traffic/stats.ts';
import type { EdgeReleaseStats } from '../../src/domain/traffic/protocol.ts';
import { CounterBook } from '../../src/edge/stats/counters.ts';
import { EpochStore } from '../../src/edge/stats/epoch-store.ts';
import type { LifeCounts } from '../../src/edge/stats/life-counts.ts';
import { NO_COUNTS } from '../../src/edge/stats/life-counts.ts';
import { LifeFile } from '../../src/edge/stats/life-file.ts';
import { TelemetryRecorder } from '../../src/engine/telemetry.ts';
import type { EdgeSample } from '../../src/ports/store.ts';
import { total, fromCounts } from '../../src/lib/histogram.ts';
import { tempDir } from '../support/temp.ts';
import { fakeTraffic } from '../support/engine/fake-traffic.ts';

const KEY = 'shop/production/api';

/** `count` requests of a release, all answered. */
function ask(book: CounterBook, release: string, count: number): void {
  const counters = book.release(KEY, release);
  counters.requests += count;
  counters.retries += 1;
  for (let i = 0; i < count; i++) counters.answered(i === 0 ? 500 : 200, 3);
}

const sum = (releases: readonly EdgeReleaseStats[], of: (each: EdgeReleaseStats) => number): number =>
  releases.reduce((all, each) => all + of(each), 0);

test('the release that serves keeps its counts however many others came and failed after it', () => {
  const book = new CounterBook();
  const serving = book.release(KEY, 'api@1');
  serving.requests = 7;
  for (let number = 2; number <= 60; number++) {
    // A table names what serves and what is new.
    expect(book.release(KEY, 'api@1')).toBe(serving);
    book.release(KEY, `api@${number}`);
  }
  const counts = book.toCounts().releases;
  expect(counts.find((each) => each.release === 'api@1')?.requests).toBe(7);
  expect(counts.length).toBeLessThan(30);
});

test('no request is forgotten over a hundred releases: those that are not told apart any more are summed', () => {
  const book = new CounterBook();
  for (let number = 1; number <= 100; number++) ask(book, `api@${number}`, 10);
  book.release('shop/production/web', 'web@1').requests = 1;
  const all = book.toCounts().releases;
  expect(all.length).toBeLessThan(30);
  const api = all.filter(({ key }) => key === KEY);
  expect(sum(api, ({ requests }) => requests)).toBe(1_000);
  expect(sum(api, ({ classes }) => classes[1] ?? 0)).toBe(900);
  expect(sum(api, ({ classes }) => classes[4] ?? 0)).toBe(100);
  expect(sum(api, ({ retries }) => retries)).toBe(100);
  expect(sum(api, ({ ttfb }) => total(fromCounts(ttfb)))).toBe(1_000);
  expect(api.filter(({ release }) => release === FORMER_RELEASES).length).toBe(1);
});

test('a release with a request under way is told apart until that is over', () => {
  const book = new CounterBook();
  const busy = book.release(KEY, 'api@1');
  busy.inFlight = 1;
  for (let number = 2; number <= 60; number++) ask(book, `api@${number}`, 1);
  busy.requests++;
  busy.inFlight = 0;
  ask(book, 'api@61', 1);
  expect(sum(book.toCounts().releases, ({ requests }) => requests)).toBe(61);
  expect(book.toCounts().releases.some(({ release }) => release === 'api@1')).toBe(false);
});

test('nor over many processes, each with releases of its own', () => {
  const folder = tempDir();
  let asked = 0;
  for (let life = 0; life < 30; life++) {
    const store = new EpochStore(folder, () => undefined);
    const book = new CounterBook();
    for (let number = 0; number < 5; number++) {
      ask(book, `api@${life * 5 + number}`, 2);
      asked += 2;
    }
    ask(book, 'api@0', 1); // serves all the time
    asked += 1;
    const { releases } = store.total(book.toCounts());
    expect(sum(releases, ({ requests }) => requests)).toBe(asked);
    expect(releases.length).toBeLessThan(60);
    expect(releases.find(({ release }) => release === 'api@0')?.requests).toBe(life + 3);
    store.file.save(store.file.record(book.toCounts(), true));
  }
});

/** As a worker beside the process that reports counts it. */
const counted = (requests: number): LifeCounts => {
  const book = new CounterBook();
  ask(book, 'api@1', requests);
  book.release(KEY, 'api@1').inFlight = 1;
  return book.toCounts();
};
const requestsOf = ({ releases }: LifeCounts): number => sum(releases, ({ requests }) => requests);

test('a report that comes to its end after a later one takes nothing back', () => {
  const folder = tempDir();
  const store = new EpochStore(folder, () => undefined);
  const worker = new LifeFile(folder, { epoch: store.epoch, after: () => store.life });
  const [early, late, last] = [worker.record(counted(3)), worker.record(counted(7)), worker.record(counted(9), true)];
  expect(requestsOf(store.total(NO_COUNTS, [late]))).toBe(7);
  expect(requestsOf(store.total(NO_COUNTS, [early]))).toBe(7);
  worker.save(last);
  expect(requestsOf(store.total(NO_COUNTS))).toBe(9);
  const { releases } = store.total(NO_COUNTS, [late]);
  expect([requestsOf({ ...NO_COUNTS, releases }), releases[0]?.inFlight]).toEqual([9, 0]);
});

test('workers that ended are counted for ever, and cost what one does however many they were', () => {
  const folder = tempDir();
  const store = new EpochStore(folder, () => undefined);
  const began = (): LifeFile => new LifeFile(folder, { epoch: store.epoch, after: () => store.life });
  let read = 0;
  for (let death = 1; death <= 200; death++) {
    const worker = began();
    worker.save(worker.record(counted(2), true));
    const total = store.total(counted(1));
    expect([requestsOf(total), total.releases[0]?.inFlight]).toEqual([2 * death + 1, 1]);
    read = store.apart;
  }
  expect(read).toBe(0);
  const lives = began();
  expect(requestsOf(store.total(NO_COUNTS, [lives.record(counted(5))]))).toBe(405);
  expect(store.apart).toBe(1);
  // What ended is in files all the same: the next process finds it.
  expect(requestsOf(new EpochStore(folder, () => undefined).total(NO_COUNTS))).toBe(400);
});

test('telemetry follows releases and leaves out what stands for all former ones', async () => {
  const traffic = fakeTraffic(() => 0);
  const counts = (release: string, requests: number): EdgeReleaseStats => ({
    ...new CounterBook().release(KEY, release).toCounts(),
    requests,
  });
  const recorded: EdgeSample[] = [];
  const recorder = new TelemetryRecorder(
    {
      traffic,
      clock: { now: () => 1 },
      store: { environments: async () => [] },
    } as unknown as ConstructorParameters<typeof TelemetryRecorder>[0],
    {
      record: async ({ edge }: { edge: EdgeSample[] }) => void recorded.push(...edge),
    } as unknown as ConstructorParameters<typeof TelemetryRecorder>[1],
  );
  traffic.stats_ = [counts('api@1', 50), counts('api@2', 1)];
  await recorder.sample();
  traffic.stats_ = [counts(FORMER_RELEASES, 50), counts('api@2', 4)];
  await recorder.sample();
  expect(recorded.map(({ release, requests }) => [release, requests])).toEqual([['api@2', 3]]);
});
