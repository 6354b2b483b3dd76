import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { COLLECT_EVERY_MS } from '../../src/engine/housekeeping.ts';
import { environmentOf } from '../support/bad/processes.ts';
import { opened, rss } from '../support/edge-client.ts';
import { rolloutsInARow } from '../support/rollouts-in-a-row.ts';
import { Stage } from '../support/stage.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const TIMES = 100;
const MINUTE = 60_000;
/** By then caches are warm, and of every service as many old releases are kept as ever will be. */
const EARLY = 60;
const TOLD_EVERY = 20;

interface Remains {
  /** Resident MiB of keeper, controller and edge. */
  memory: number;
  /** Open files of the three, their sockets left out: of those there are as many as the load has connections. */
  open: number;
  sockets: number;
  /** Files and folders below the home. What was said is kept for two weeks, however much was rolled out: it is counted apart. */
  files: number;
  logs: number;
  /** Processes that work for this home: the three, instances, jobs. */
  processes: number;
}

const belongingTo = (home: string): number =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environmentOf(Number(pid)).includes(home)).length;

async function remains({ system }: Stage): Promise<Remains> {
  const { keeper, controller, edge } = await system.keeperInfo();
  const pids = [keeper, controller, edge].map((each) => each?.pid ?? 0);
  const open = pids.flatMap(opened);
  const sockets = open.filter((each) => each.startsWith('socket:')).length;
  // With their types: what a service keeps would be counted again below each link to it.
  const entries = await waitFor(() => readdirSync(system.paths.home, { recursive: true, withFileTypes: true }), {
    what: 'a moment in which no folder goes while it is read',
  });
  const logs = entries.filter(({ parentPath }) => `${parentPath}/`.startsWith(`${system.paths.logs}/`)).length;
  return {
    memory: pids.reduce((sum, pid) => sum + rss(pid), 0),
    open: open.length - sockets,
    sockets,
    files: entries.length - logs,
    logs,
    processes: belongingTo(system.paths.home),
  };
}

/** The least of each within the time in which everything is collected once: until then what is over may still be there. */
async function lasting(stage: Stage): Promise<Remains> {
  const until = performance.now() + COLLECT_EVERY_MS + 10_000;
  let least = await remains(stage);
  while (performance.now() < until) {
    await sleep(1_000);
    const now = await remains(stage);
    least = {
      memory: Math.min(least.memory, now.memory),
      open: Math.min(least.open, now.open),
      sockets: Math.min(least.sockets, now.sockets),
      files: Math.min(least.files, now.files),
      logs: Math.min(least.logs, now.logs),
      processes: Math.min(least.processes, now.processes),
    };
  }
  return least;
}

test(
  `${TIMES} rollouts in a row lose nothing, change what answers each time, and leave nothing behind`,
  async () => {
    const stage = await Stage.prepare(tempDir('m'));
    onTestFinished(() => stage.system.stop(), MINUTE);
    await stage.up();
    const { sockets: atFirst } = await remains(stage);
    const seen = new Map<number, Remains>();
    const played = await rolloutsInARow(stage, {
      times: TIMES,
      signal: AbortSignal.timeout(30 * MINUTE),
      say: (text) => console.log(text),
      after: async (done) => {
        if (done === EARLY || done === TIMES) seen.set(done, await lasting(stage));
        else if (done % TOLD_EVERY === 0) seen.set(done, await remains(stage));
      },
    });
    for (const [done, each] of seen)
      console.log(
        `after ${done}: ${Math.round(each.memory)} MiB, ${each.open} open files, ${each.sockets} sockets, ${each.files} files, ${each.logs} logs, ${each.processes} processes`,
      );
    expect(played.load.failed, JSON.stringify(played.load.examples)).toBe(0);
    expect(played.counted).toBe(played.load.requests);
    expect([played.unchanged, played.unseen]).toEqual([0, 0]);
    const [early, late] = [seen.get(EARLY), seen.get(TIMES)];
    if (early === undefined || late === undefined) throw new Error('nothing was looked at');
    // An instance or two may be on their way out.
    expect(late.processes).toBeLessThanOrEqual(early.processes + 4);
    expect(late.open).toBeLessThanOrEqual(early.open + 10);
    await waitFor(async () => (await remains(stage)).sockets <= atFirst + 10, {
      what: 'the connections to be gone with the load',
      timeout: 3 * MINUTE,
    });
    // Each rollout leaves its story and what it said, and no files of its own beyond the releases that are kept.
    expect(late.files / early.files).toBeLessThan(1.3);
    expect(late.memory / early.memory).toBeLessThan(1.3);
  },
  40 * MINUTE,
);
