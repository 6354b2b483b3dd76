import { standardLoad } from './load/options.ts';
import type { LoadReport } from './load/report.ts';
import { spawnLoad } from './load/spawn-load.ts';
import type { Stage } from './stage.ts';

/** Rollouts of everything that changes and of all services at once are among them, and canaries. */
const EVERY = { whole: 10, canary: 8 };
const SAY_EVERY = 10;

export interface InARow {
  readonly load: LoadReport;
  /** Requests that the edge counted on its public port meanwhile, our own left out. */
  readonly counted: number;
  readonly canaries: number;
  /** Rollouts of all four services as one. */
  readonly whole: number;
  /** Rollouts after which another release answered than the one that was rolled out. */
  readonly unchanged: number;
  /** Versions that the load never met. */
  readonly unseen: number;
  /** From the promotion to an answer through the edge, ms. */
  readonly switches: readonly number[];
  /** Seconds that each rollout took. */
  readonly durations: readonly number[];
}

export interface InARowOptions {
  readonly times: number;
  readonly signal: AbortSignal;
  readonly say: (progress: string) => void;
  /** Called after each. */
  readonly after?: (done: number) => void | Promise<void>;
}

/** Rolls out one version after the other under the standard load. */
export async function rolloutsInARow(stage: Stage, options: InARowOptions): Promise<InARow> {
  const { times, signal, say, after } = options;
  const before = await stage.edgeRequests();
  const target = { host: '127.0.0.1', port: stage.port };
  const load = await spawnLoad(standardLoad(target, 1, { jwtSecret: stage.jwtSecret }), { seconds: 1_800 });
  const seen = { canaries: 0, whole: 0, unchanged: 0 };
  const switches: number[] = [];
  const durations: number[] = [];
  let asked = 0;
  try {
    for (let i = 1; i <= times && !signal.aborted; i++) {
      const version = `m${i}`;
      const canary = i % EVERY.canary === 3 ? [10, 50] : [];
      const all = i % EVERY.whole === 4;
      seen.canaries += Math.sign(canary.length);
      seen.whole += Number(all);
      const began = performance.now();
      stage.change({ version, canary });
      const id = await stage.deploy(all ? undefined : ['api']);
      await stage.promote(id);
      durations.push((performance.now() - began) / 1000);
      asked++;
      if ((await stage.answers()) !== version) seen.unchanged++;
      const journal = await stage.journal(id);
      const ms = journal.findLast((entry) => entry.to === 'watching')?.detail['switchMs'];
      if (typeof ms === 'number') switches.push(ms);
      await after?.(i);
      if (i % SAY_EVERY === 0 || times < SAY_EVERY) {
        const { requests = 0, failed = 0 } = load.progress() ?? {};
        say(`${i} of ${times} rollouts, ${requests.toLocaleString('en-US')} requests, ${failed} failed`);
      }
    }
  } catch (error) {
    await load.stop();
    throw error;
  }
  const report = await load.stop();
  const counted = (await stage.edgeRequests()) - before - asked;
  return { load: report, counted, ...seen, unseen: versionsNotSeen(report, times), switches, durations };
}

const versionsNotSeen = (report: LoadReport, times: number): number =>
  Array.from({ length: times }, (_, i) => `m${i + 1}`).filter((version) => report.byVersion[version] === undefined)
    .length;
