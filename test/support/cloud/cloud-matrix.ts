import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { deathIn, give, type Moment, MOMENTS, withdraw } from '../checkpoints/order.ts';
import { waitFor } from '../wait.ts';
import { load } from './cloud-run-world.ts';
import type { CloudStage } from './cloud-stage.ts';

/**
 * Where the controller is killed: at a transition of its rollout or a request of a person (see test/support/checkpoints), or
 * at the nth call of a Google API since the play began: `before` it was done, or `after`, when nobody hears of it any more.
 */
export type Place =
  | { at: 'write'; moment: Moment; of: string; nth?: number }
  | { at: 'call'; when: 'before' | 'after'; method: string; nth?: number };

export type CloudPlay = 'good' | 'bad' | 'rollback' | 'abort';

export interface CloudCell {
  play: CloudPlay;
  place: Place;
}

const RUN = 'run.projects.locations';
const writes = (play: CloudPlay, of: string, nth = 1): CloudCell[] =>
  MOMENTS.map((moment) => ({ play, place: { at: 'write', moment, of, nth } }));
const calls = (play: CloudPlay, method: string, nth = 1): CloudCell[] =>
  (['before', 'after'] as const).map((when) => ({ play, place: { at: 'call', when, method, nth } }));

const PHASES = ['pending', 'building', 'migrating', 'starting', 'verifying', 'canary', 'promoting', 'watching'];

/** All that change something, in the order of a rollout, and every write. */
export const CLOUD_CELLS: readonly CloudCell[] = [
  ...PHASES.flatMap((phase) => writes('good', phase)),
  ...writes('good', 'canary', 2),
  ...writes('good', 'complete'),
  ...calls('good', 'cloudbuild.projects.locations.builds.create'),
  ...calls('good', `${RUN}.jobs.create`),
  // The revision, its place in the table, two steps, the promotion, what is closed behind the window.
  ...[1, 2, 3, 4, 5].flatMap((nth) => calls('good', `${RUN}.services.patch`, nth)),
  ...writes('bad', 'failed'),
  ...calls('bad', `${RUN}.services.patch`, 4),
  ...writes('abort', 'request abort'),
  ...writes('abort', 'aborted'),
  ...writes('rollback', 'request rollback'),
  ...writes('rollback', 'rolled-back'),
  ...calls('rollback', `${RUN}.services.patch`, 1),
];

export function named({ play, place }: CloudCell): string {
  const nth = (place.nth ?? 1) > 1 ? ` (${place.nth})` : '';
  return place.at === 'write'
    ? `${place.moment} ${place.of}${nth}, ${play}`
    : `${place.when} ${place.method}${nth}, ${play}`;
}

export interface CloudMatrixReport {
  kills: number;
  requests: number;
  /** Answers that were no answer of a release: `503 …` and their count. */
  failed: Map<string, number>;
  wrong: string[];
  /** ms, from a death until another controller answered; the longest. */
  backMs: number;
}

const STEP = '4s';
/** What a person types in the middle of it. */
const COMMANDS = { abort: ['abort'], rollback: ['rollback', 'api'] } as const;
/** Who has run for this long was well, and is started again at once when it dies (see platform/backoff.ts). */
const WELL_MS = 10_200;
const SHORT_LIVES = 3;

/** Kills the controller at each place, under load, and looks at what came of it. The stage must have a release. */
export async function runCloudMatrix(
  stage: CloudStage,
  cells: readonly CloudCell[],
  say: (progress: string) => void,
): Promise<CloudMatrixReport> {
  const report: CloudMatrixReport = { kills: 0, requests: 0, failed: new Map(), wrong: [], backMs: 0 };
  const traffic = load(stage.emulator.url, await stage.address(), 20);
  let serving = await stage.answers();
  let lives = 0;
  try {
    for (const [index, cell] of cells.entries()) {
      if (lives++ % SHORT_LIVES === 0) await sleep(WELL_MS);
      const version = `k${index + 1}${cell.play === 'bad' ? 'bad' : ''}`;
      const began = performance.now();
      const wrong: string[] = [];
      const { backMs, expected } = await playCell(stage, cell, version, serving).catch((error: unknown) => {
        wrong.push(error instanceof Error ? error.message : String(error));
        return { backMs: null, expected: null };
      });
      withdraw(stage.checkpoints);
      stage.interfere(null);
      if (backMs === null) wrong.push('nobody was killed');
      else report.kills++;
      report.backMs = Math.max(report.backMs, backMs ?? 0);
      const answers = await answering(stage, expected);
      if (expected !== null && answers !== expected) wrong.push(`${answers} answers instead of ${expected}`);
      serving = answers;
      wrong.push(...(await twice(stage)));
      report.wrong.push(...wrong.map((each) => `${named(cell)}: ${each}`));
      const how = wrong.length === 0 ? `back after ${backMs} ms` : `WRONG: ${wrong.join('; ')}`;
      say(`${index + 1} of ${cells.length}: ${named(cell)}: ${how}; ${Math.round(performance.now() - began)} ms`);
    }
  } finally {
    await traffic.stop();
  }
  report.requests = [...traffic.statuses.values()].reduce((sum, each) => sum + each, 0);
  for (const [what, count] of traffic.odd) if (!/^500 k\d+bad$/.test(what)) report.failed.set(what, count);
  return report;
}

async function playCell(
  stage: CloudStage,
  { play, place }: CloudCell,
  version: string,
  before: string,
): Promise<{ backMs: number | null; expected: string }> {
  const canary = play === 'rollback' ? [] : play === 'abort' ? [50] : [20, 60];
  const step = play === 'good' ? '2500ms' : play === 'bad' ? STEP : '10m';
  stage.change({
    version,
    bad: play === 'bad' ? 60 : 0,
    canary,
    step,
    rollbackWindow: play === 'good' ? 1_500 : 300_000,
    rollout: 'onInconclusive: promote',
  });
  let back: Promise<number | null> = Promise.resolve(null);
  const over = new AbortController();
  const begin = async (): Promise<void> =>
    void (back = killed(stage, place, (await controllerPid(stage)) ?? 0, over.signal));
  if (play === 'good' || play === 'bad') await begin();
  const rollout = await deploy(stage);
  if (play === 'abort' || play === 'rollback') {
    await reached(stage, rollout, play === 'abort' ? 'canary' : 'watching');
    await begin();
    const typed = await stage.system.cli([...COMMANDS[play], '--env', 'production'], { cwd: stage.root });
    if (typed.code !== 0) throw new Error(`${play}: exit code ${typed.code}: ${typed.stdout}${typed.stderr}`);
  }
  const wanted = { good: 'complete', bad: 'failed', rollback: 'rolled-back', abort: 'aborted' }[play];
  const look = async (): Promise<RolloutView | null> => {
    const seen = await stage.system.rollout(rollout);
    if (seen.paused !== null) throw new Error(`paused: ${JSON.stringify(seen.paused)}`);
    return seen.end !== null && seen.settled ? seen : null;
  };
  const ended = await waitFor(look, { what: `${rollout} to end as ${wanted}`, timeout: 240_000, interval: 50 });
  over.abort();
  if (ended.end !== wanted) throw new Error(`it ended as ${ended.end}, not ${wanted}: ${ended.reason}`);
  return { backMs: await back, expected: play === 'good' ? version : before };
}

/** From the death of the controller to the first answer of another one, ms; null when the place was never reached. */
async function killed(stage: CloudStage, place: Place, pid: number, over: AbortSignal): Promise<number | null> {
  let died: number | null = null;
  if (place.at === 'write') {
    give(stage.checkpoints, { part: 'controller', moment: place.moment, of: place.of, nth: place.nth ?? 1 });
  } else {
    let met = 0;
    stage.interfere((method) => {
      if (method !== place.method || died !== null || ++met < (place.nth ?? 1)) return [];
      died = Date.now();
      process.kill(pid, 'SIGKILL');
      return [{ do: 'cut', when: place.when }];
    });
  }
  while (died === null) {
    died = place.at === 'write' ? (deathIn(stage.checkpoints)?.at ?? null) : died;
    if (died === null && over.aborted) return null;
    await sleep(5);
  }
  const works = async (): Promise<boolean> => ((await controllerPid(stage)) ?? pid) !== pid;
  await waitFor(works, { what: 'another controller', timeout: 60_000, interval: 10 });
  return Date.now() - died;
}

const controllerPid = async (stage: CloudStage): Promise<number | null> =>
  (await stage.system.get<{ pid: number }>('/api/v1/server')).pid;

/** Whoever got no answer looks what became of it before asking again, as a person would. */
async function deploy(stage: CloudStage): Promise<string> {
  const newest = async (): Promise<string | null> => {
    const path = '/api/v1/rollouts?project=shop&limit=1';
    return (await stage.system.get<{ rollouts: RolloutView[] }>(path)).rollouts[0]?.id ?? null;
  };
  const before = await newest();
  try {
    return await stage.deploy();
  } catch {
    const { now } = await waitFor(async () => ({ now: await newest() }), { what: 'the controller to answer' });
    return now === before || now === null ? await stage.deploy() : now;
  }
}

async function reached(stage: CloudStage, rollout: string, phase: RolloutView['phase']): Promise<void> {
  const look = async (): Promise<boolean> => (await stage.system.rollout(rollout)).phase === phase;
  await waitFor(look, { what: `${rollout} to be ${phase}`, timeout: 90_000, interval: 25 });
}

/** Decided is not done: there are some seconds for it. */
async function answering(stage: CloudStage, wanted: string | null): Promise<string> {
  const deadline = performance.now() + 8_000;
  for (let right = 0; ;) {
    const now = await stage.answers();
    right = now === wanted ? right + 1 : 0;
    if (wanted === null || right >= 10 || (right === 0 && performance.now() > deadline)) return now;
  }
}

/** Migrations that ran twice, jobs with more than one execution or none, and releases with more than one revision. */
async function twice(stage: CloudStage): Promise<string[]> {
  const migrated = [...stage.witnessed()].filter(([, count]) => count !== 1);
  const { jobs = [] } = (await stage.cloud('jobs')) as { jobs?: { name: string; executionCount?: number }[] };
  const { revisions = [] } = (await stage.cloud('services/-/revisions')) as { revisions?: { name: string }[] };
  const releases = new Map<string, number>();
  for (const { name } of revisions) {
    const release = /-r(\d+)-[^-]+$/.exec(name)?.[1] ?? name;
    releases.set(release, (releases.get(release) ?? 0) + 1);
  }
  return [
    ...migrated.map(([line, count]) => `${count} times: ${line}`),
    ...jobs
      .filter(({ executionCount = 0 }) => executionCount !== 1)
      .map(({ name, executionCount = 0 }) => `${name} has ${executionCount} executions`),
    ...[...releases]
      .filter(([, count]) => count > 1)
      .map(([release, count]) => `release ${release}: ${count} revisions`),
  ];
}
