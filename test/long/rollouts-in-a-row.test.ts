import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { environmentOf } from '../support/bad/processes.ts';
import { fds, rss } from '../support/edge-client.ts';
import { rolloutsInARow } from '../support/rollouts-in-a-row.ts';
import { Stage } from '../support/stage.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const TIMES = 100;
const MINUTE = 60_000;
/** By then caches are warm, and as many old releases are kept as ever will be. */
const EARLY = 20;

interface Remains {
  /** Resident MiB of keeper, controller and edge. */
  memory: number;
  /** Open files of the three. */
  open: number;
  /** Files and folders below the home. */
  files: number;
  /** Processes that work for this home: the three, instances, jobs. */
  processes: number;
}

const belongingTo = (home: string): number =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environmentOf(Number(pid)).includes(home)).length;

async function remains({ system }: Stage): Promise<Remains> {
  const { keeper, controller, edge } = await system.keeperInfo();
  const pids = [keeper, controller, edge].map((each) => each?.pid ?? 0);
  return {
    memory: pids.reduce((sum, pid) => sum + rss(pid), 0),
    open: pids.reduce((sum, pid) => sum + fds(pid), 0),
    // With their types: what a service keeps would be counted again below each link to it.
    files: await waitFor(() => readdirSync(system.paths.home, { recursive: true, withFileTypes: true }).length, {
      what: 'a moment in which no folder goes while it is read',
    }),
    processes: belongingTo(system.paths.home),
  };
}

test(
  `${TIMES} rollouts in a row lose nothing, change what answers each time, and leave nothing behind`,
  async () => {
    const stage = await Stage.prepare(tempDir('m'));
    onTestFinished(() => stage.system.stop(), MINUTE);
    await stage.up();
    const seen = new Map<number, Remains>();
    const played = await rolloutsInARow(stage, {
      times: TIMES,
      signal: AbortSignal.timeout(30 * MINUTE),
      say: (text) => console.log(text),
      after: async (done) => {
        if (done % EARLY === 0) seen.set(done, await remains(stage));
      },
    });
    for (const [done, each] of seen)
      console.log(
        `after ${done}: ${Math.round(each.memory)} MiB, ${each.open} open files, ${each.files} files, ${each.processes} processes`,
      );
    expect(played.load.failed, JSON.stringify(played.load.examples)).toBe(0);
    expect(played.counted).toBe(played.load.requests);
    expect([played.unchanged, played.unseen]).toEqual([0, 0]);
    const [early, late] = [seen.get(EARLY), seen.get(TIMES)];
    if (early === undefined || late === undefined) throw new Error('nothing was looked at');
    // An instance or two may be on their way out.
    expect(late.processes).toBeLessThanOrEqual(early.processes + 4);
    expect(late.open).toBeLessThanOrEqual(early.open + 10);
    // Each rollout leaves its story, and no files of its own beyond the releases that are kept.
    expect(late.files / early.files).toBeLessThan(1.3);
    expect(late.memory / early.memory).toBeLessThan(1.3);
  },
  40 * MINUTE,
);
