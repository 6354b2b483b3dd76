import { setTimeout as sleep } from 'node:timers/promises';
import { type Death, deathIn, give, type Order, type Part, withdraw } from '../checkpoints/order.ts';
import { standardLoad } from '../load/options.ts';
import type { Failure, LoadReport } from '../load/report.ts';
import { spawnLoad } from '../load/spawn-load.ts';
import type { Stage } from '../stage.ts';
import { waitFor } from '../wait.ts';
import { type Cell, named } from './cells.ts';
import { play } from './play.ts';

export interface Outcome {
  readonly cell: Cell;
  /** Ms from its death until there was another that did its work; null when the order was never reached. */
  readonly backMs: number | null;
  /** What is wrong with it, in words. */
  readonly wrong: readonly string[];
}

export interface MatrixReport {
  readonly outcomes: readonly Outcome[];
  readonly requests: number;
  /** Failed requests and streams, without those in `cut`. */
  readonly failed: number;
  /** When each of these failed, seen from the death before it. */
  readonly when: readonly string[];
  /** What was under way through an edge in the moment in which that edge was killed. */
  readonly cut: number;
  /** Migrations and starts that the witness file counts more than once, as `3 times: migrate api k7`. */
  readonly twice: readonly string[];
  /** Builds begun again: they leave nothing behind, and are allowed to be. */
  readonly builds: number;
  readonly load: LoadReport;
}

/** Who has run for this long was well, and is started again at once when it dies (see platform/backoff.ts). */
const WELL_MS = 10_200;
/** So many short lives in a row still are started within a quarter of a second. */
const SHORT_LIVES = 3;
/** How soon the right release must answer alone, ms, and how many visitors without a cookie say so. */
const RIGHT_MS = 2_000;
const SAMPLE = 12;
/** What is done after the last transition of a rollout may wait for the end of its drain, ms. */
const SETTLED_MS = 8_000;
const CUT = new Set(['reset', 'truncated', 'ws-abnormal']);

export interface MatrixOptions {
  /** Releases are named with it, so that several runs on one stage can be told apart. */
  readonly prefix: string;
  readonly signal: AbortSignal;
  readonly say: (progress: string) => void;
}

/** Lets keeper, controller or edge die at every cell, under the standard load. The stage must be mortal, and up. */
export async function runMatrix(
  stage: Stage,
  cells: readonly Cell[],
  { prefix, signal, say }: MatrixOptions,
): Promise<MatrixReport> {
  const versions = cells.map((_, index) => `${prefix}${index + 1}`);
  const bad = versions.filter((_, index) => cells[index]?.play.startsWith('bad') === true);
  const target = { host: '127.0.0.1', port: stage.port };
  const options = standardLoad(target, 1, { jwtSecret: stage.jwtSecret, expectBadVersions: bad });
  const load = await spawnLoad(options, { seconds: 3_600 });
  const outcomes: Outcome[] = [];
  const deaths: Death[] = [];
  try {
    let serving = await stage.answers();
    // Others may have been killed on this stage a moment ago.
    let backAt = Date.now();
    let lives = SHORT_LIVES;
    for (const [index, cell] of cells.entries()) {
      signal.throwIfAborted();
      if (lives >= SHORT_LIVES) await letLive(backAt, signal);
      if (lives >= SHORT_LIVES) lives = 0;
      const version = versions[index] ?? '';
      const wrong: string[] = [];
      const back = backAgain(stage, cell.order);
      const begin = (): void => {
        give(stage.checkpoints, cell.order);
        back.watch();
      };
      const played = await play(stage, cell.play, { version, before: serving }, begin).catch((error: unknown) => {
        wrong.push(error instanceof Error ? error.message : String(error));
        return null;
      });
      const seen = await back.seen(SETTLED_MS);
      withdraw(stage.checkpoints);
      if (seen === null) wrong.push('the place at which to die was never reached');
      else {
        deaths.push(seen.death);
        backAt = seen.death.at + seen.backMs;
      }
      lives += Number(seen !== null && cell.order.freezeMs === undefined);
      const answers = await answering(stage, played?.serving ?? null);
      if (played !== null && answers !== played.serving) wrong.push(`${answers} answers instead of ${played.serving}`);
      serving = answers;
      outcomes.push({ cell, backMs: seen?.backMs ?? null, wrong });
      const how = wrong.length === 0 ? `back after ${seen?.backMs} ms` : `WRONG: ${wrong.join('; ')}`;
      say(`${index + 1} of ${cells.length}: ${named(cell)}: ${how}; ${load.progress()?.failed ?? 0} failed so far`);
    }
  } catch (error) {
    await load.stop();
    throw error;
  }
  const report = await load.stop();
  return {
    outcomes,
    load: report,
    requests: report.requests,
    ...failures(report, deaths, cells),
    ...twice(stage, prefix),
  };
}

/** Decided is not done: what a controller wrote before it died is done by the next one, for which there are two seconds. */
async function answering(stage: Stage, wanted: string | null): Promise<string> {
  const deadline = performance.now() + RIGHT_MS;
  for (let right = 0; ;) {
    const now = await stage.answers();
    right = now === wanted ? right + 1 : 0;
    if (wanted === null || right >= SAMPLE || (right === 0 && performance.now() > deadline)) return now;
  }
}

/** A real controller is not killed every few seconds; one that is, is started later each time. */
async function letLive(backAt: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, backAt + WELL_MS - Date.now()), undefined, { signal });
}

interface Back {
  watch(): void;
  /** Null when nobody dies. */
  seen(patienceMs: number): Promise<{ death: Death; backMs: number } | null>;
}

/** From the death of a part to the first sign that another one works. */
function backAgain(stage: Stage, { part, freezeMs }: Order): Back {
  let until = Number.POSITIVE_INFINITY;
  let found: Promise<{ death: Death; backMs: number } | null> = Promise.resolve(null);
  const look = async (): Promise<{ death: Death; backMs: number } | null> => {
    let death: Death | null = null;
    while (death === null) {
      death = deathIn(stage.checkpoints);
      if (death === null && performance.now() > until) return null;
      await sleep(2);
    }
    const { pid, at } = death;
    if (freezeMs !== undefined) {
      await sleep(freezeMs);
      process.kill(pid, 'SIGCONT');
    }
    const since = freezeMs === undefined ? at : Date.now();
    const gone = freezeMs === undefined ? pid : 0;
    await waitFor(() => works(stage, part, gone), { what: `another ${part}`, timeout: 30_000, interval: 2 });
    return { death, backMs: Date.now() - since };
  };
  return {
    watch: () => void (found = look()),
    seen: (patienceMs) => {
      until = performance.now() + patienceMs;
      return found;
    },
  };
}

async function works(stage: Stage, part: Part, dead: number): Promise<boolean> {
  switch (part) {
    case 'controller':
      return (await stage.system.get<{ pid: number }>('/api/v1/server')).pid !== dead;
    case 'edge': {
      await stage.answers('/api/version');
      return (await stage.system.keeperInfo()).edge?.pid !== dead;
    }
    case 'keeper':
      return (await stage.system.keeperInfo()).keeper.pid !== dead && (await works(stage, 'controller', 0));
  }
}

/** Nobody can save what was under way through an edge that is killed: its connections end with it. */
function failures(
  report: LoadReport,
  deaths: readonly Death[],
  cells: readonly Cell[],
): Pick<MatrixReport, 'failed' | 'cut' | 'when'> {
  const ofEdge = cells.some(({ order }) => order.part === 'edge');
  const isCut = ({ at, openedAt, kind }: Failure): boolean =>
    CUT.has(kind) && deaths.some((death) => openedAt <= death.at && at >= death.at);
  const failed = report.history.filter((each) => !(ofEdge && isCut(each)));
  const when = failed.map(({ at, openedAt, kind, what, detail }) => {
    const before = deaths.findLast((death) => death.at <= at)?.at ?? Number.NaN;
    return `${what}, ${kind} (${detail}): connected ${openedAt - before} ms, failed ${at - before} ms after a death`;
  });
  const cut = report.history.length - failed.length;
  return { failed: report.failed - cut, cut, when };
}

function twice(stage: Stage, prefix: string): Pick<MatrixReport, 'twice' | 'builds'> {
  const again = [...stage.witnessed()].filter(([line, count]) => line.includes(` ${prefix}`) && count > 1);
  const harmful = again.filter(([line]) => !line.startsWith('build'));
  return {
    twice: harmful.map(([line, count]) => `${count} times: ${line}`),
    builds: again.length - harmful.length,
  };
}
