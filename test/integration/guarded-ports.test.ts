import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { guardedPorts } from '../../src/drivers/runtime/process/guarded-ports.ts';
import { type InstanceRecord, writeInstanceRecord } from '../../src/drivers/runtime/process/instance-record.ts';
import { tempDir } from '../support/temp.ts';

const record = (id: string, port: number): InstanceRecord => ({
  id,
  project: 'shop',
  environment: 'production',
  service: 'api',
  release: 'api@1',
  index: 0,
  generation: 0,
  port,
  log: '/dev/null',
  uid: 4_711,
  calls: [],
  cgroups: [],
  limits: { memory: false, cpu: false, why: null },
});

test.each([0, 1, 2])('what is forgotten while rules are put in force again stays forgotten (%i)', async (order) => {
  const instances = tempDir('instances');
  const [leaves, stays] = [record('leaves', 20_001), record('stays', 20_002)];
  for (const each of [leaves, stays]) {
    mkdirSync(join(instances, each.id));
    writeInstanceRecord(join(instances, each.id), 'one', each);
  }
  const allowed = new Set<number>();
  const ports = guardedPorts(instances, {
    async allow(all) {
      await sleep(20);
      for (const each of all) for (const port of each.ports) allowed.add(port);
      return null;
    },
    async forget(gone) {
      await sleep(order * 10);
      for (const port of gone.ports) allowed.delete(port);
    },
  });
  const forget = async (): Promise<void> => void (await ports.forget(leaves));
  // Before, in the midst of, and after it; its folder is there all the while.
  if (order === 0) ports.keep();
  const forgotten = forget();
  if (order === 1) ports.keep();
  await forgotten;
  if (order === 2) ports.keep();
  await expect.poll(() => [...allowed]).toEqual([stays.port]);
  await sleep(50);
  expect([...allowed]).toEqual([stays.port]);
});
