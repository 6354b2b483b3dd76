import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { run } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask } from '../support/features/visitor.ts';
import { projectFolder } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const MB = 1024 * 1024;
const system = sharedSystem();

function bytesIn(folder: string): { disk: number; written: number } {
  let [disk, written] = [0, 0];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const stats = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile()) continue;
    disk += stats.blocks * 512;
    // A live log has its full length, with a hole where it was rotated.
    if (entry.name.endsWith('.log')) written += stats.size;
  }
  return { disk, written };
}

/** The slowest and the middle one of so many answers, ms. */
async function latency(port: number, count: number): Promise<{ median: number; worst: number }> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    expect(await ask(port)).toMatchObject({ status: 200 });
    times.push(performance.now() - began);
    await sleep(5);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(count / 2)] ?? 0, worst: times.at(-1) ?? 0 };
}

/** As fast as a pipe of one program allows, in short lines, and in one line without an end. */
test.each([
  ['many short lines', 'yes short'],
  ['one line without an end', "yes '' | tr '\\n' x"],
])(
  'a service that writes as fast as it can (%s) neither fills the disk nor keeps its neighbour from answering',
  { timeout: 120_000 },
  async (name, command) => {
    const port = await freePort();
    const project = name.replaceAll(' ', '-');
    const root = projectFolder({
      'evenkeel.yaml': `project: ${project}\nport: ${port}\nservices:\n  api: { run: node main.js, routes: [/], ${HEALTH} }\n  loud: { run: ${JSON.stringify(command)}, resources: { cpu: 0.5 } }\n`,
      'main.js': server('v1'),
    });
    await run(system, root, ['up', '--wait', 'promoted']);
    const logs = join(system.paths.logs, 'instances', project);
    const began = performance.now();
    const before = bytesIn(logs).written;
    const during = await latency(port, 60);
    // Five times ten megabytes are kept, and between two looks of the controller it is more: how much more is a matter
    // of the machine. That the disk is given back each time is not.
    for (const written of [250, 400, 550])
      await waitFor(
        () => {
          const now = bytesIn(logs);
          return now.written - before > written * MB && now.disk < 120 * MB;
        },
        { what: `the disk to be given back after ${written} MB`, timeout: 60_000 },
      );
    const rate = (bytesIn(logs).written - before) / MB / ((performance.now() - began) / 1000);
    await run(system, root, ['down', '--yes']);
    console.log(
      `${name}: ${Math.round(rate)} MB/s; the neighbour answered in ${during.median.toFixed(1)} ms, at worst ${during.worst.toFixed(0)} ms`,
    );
  },
);
