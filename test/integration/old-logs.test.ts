import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { collectLogs } from '../../src/app/old-logs.ts';
import { placesIn } from '../../src/app/places.ts';
import { fakeRuntime } from '../../src/drivers/runtime/fake/runtime.ts';
import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import { project, service } from '../support/engine/world.ts';
import { tempDir } from '../support/temp.ts';

/** Logs of a project of one service, of which one instance runs. */
async function logsBeside(instance: string) {
  const folder = tempDir('logs');
  const places = placesIn({ logs: folder, projects: folder, edgeDir: folder });
  const now = Date.now();
  const clock = { now: () => now, sleep: async () => {} };
  const store = await openMemoryStore();
  const runtime = fakeRuntime({ clock });
  await store.saveEnvironment({
    project: 'shop',
    environment: 'production',
    config: project([service('api')]),
    wanted: 'up',
    updatedAt: now,
  });
  const scope = { project: 'shop', environment: 'production' };
  const log = (name: string): string => places.instanceLog({ ...scope, service: 'api', instance: name });
  await runtime.start({
    id: instance,
    ...scope,
    service: 'api',
    release: 'api@1',
    index: 0,
    generation: 0,
    artifact: '/nowhere',
    dir: '.',
    command: 'true',
    env: {},
    port: null,
    data: [],
    resources: { memory: null, cpu: null },
    log: log(instance),
  });
  onTestFinished(() => store.close());
  return { folder, places, now, clock, store, runtime, scope, log };
}

test('output of long ago goes, output of today and of a quiet instance that still runs stays', async () => {
  const { folder, places, now, clock, store, runtime, scope, log } = await logsBeside('quiet');
  const files = {
    old: log('gone'),
    quiet: log('quiet'),
    fresh: log('yesterday'),
    job: places.jobLog({ ...scope, job: 'r1.build.api' }),
  };
  for (const file of Object.values(files)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'a line\n');
    const days = file === files.fresh ? 1 : 30;
    utimesSync(file, now / 1000 - days * 86_400, now / 1000 - days * 86_400);
  }
  await collectLogs({ store, runtime, places, clock }, folder);
  expect(Object.fromEntries(Object.entries(files).map(([name, file]) => [name, existsSync(file)]))).toEqual({
    old: false,
    quiet: true,
    fresh: true,
    job: false,
  });
});

test('all output together stays below its share of the disk: what ended goes first, of what runs only what is old', async () => {
  const { folder, places, now, clock, store, runtime, scope, log } = await logsBeside('loud');
  const MB = 1024 * 1024;
  const write = (file: string, minutes: number): string => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.alloc(MB, 10));
    utimesSync(file, now / 1000 - minutes * 60, now / 1000 - minutes * 60);
    return file;
  };
  const live = log('loud');
  const files = {
    live: write(live, 90),
    oldPiece: write(`${live}.000000000000000`, 100),
    newPiece: write(`${live}.000000001048576`, 95),
    job: write(places.jobLog({ ...scope, job: 'r1.build.api' }), 50),
    ended: write(log('ended'), 40),
  };
  const left = (): string[] => Object.keys(files).filter((name) => existsSync(files[name as keyof typeof files]));
  expect(await collectLogs({ store, runtime, places, clock }, folder, 10 * MB)).toBe(0);
  expect(await collectLogs({ store, runtime, places, clock }, folder, 4 * MB)).toBeGreaterThanOrEqual(MB);
  expect(left()).toEqual(['live', 'oldPiece', 'newPiece', 'ended']);
  await collectLogs({ store, runtime, places, clock }, folder, 2 * MB);
  expect(left()).toEqual(['live', 'newPiece']);
  // Without its newest piece nobody would know where the live file begins.
  await collectLogs({ store, runtime, places, clock }, folder, 1);
  expect(left()).toEqual(['live', 'newPiece']);
});
