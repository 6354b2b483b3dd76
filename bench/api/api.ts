import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Overview } from '../../src/api/contract/overview.ts';
import { readToken } from '../../src/platform/tokens.ts';
import { unixClient, type UnixClient } from '../../src/platform/unix-http.ts';
import { openHome, type System } from '../../test/support/evenkeel-home.ts';
import { freePort } from '../../test/support/free-port.ts';
import { waitFor } from '../../test/support/wait.ts';
import { memoryOf } from '../idle/memory.ts';
import { SERVICES, writeProject } from '../idle/services.ts';
import { largest, median, quantile, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import { latencyRows } from './event-latency.ts';
import { firstLoadRows } from './first-load.ts';
import { giveHistory } from './history.ts';
import { inBrowser } from './in-browser.ts';

const ROLLOUTS = 100;
const STREAMS = 200;
const SCOPE = { project: 'forty', environment: 'development' };

/** What a screen asks and loads: how everything is, what changes, and what two hundred of them cost. */
export async function apiRows(bench: Bench): Promise<Row[]> {
  const base = join(bench.folder, 'api');
  mkdirSync(base);
  const root = join(base, 'forty');
  writeProject(root, await freePort());
  const system = openHome(base);
  bench.onEnd(() => system.stop());
  await system.start();
  const up = await system.deploy(root);
  await system.reach(up, ({ phase, end }) => phase === 'watching' || end !== null, 'forty services to be up', 180_000);
  await giveHistory(system, { ...SCOPE, rollouts: ROLLOUTS });
  bench.say(`${SERVICES} services, ${ROLLOUTS} rollouts and a day of statistics`);
  const client = unixClient({
    socketPath: system.paths.controllerSocket,
    peer: 'The controller',
    timeoutMs: 60_000,
    token: (await readToken(system.paths.token)) ?? '',
    keepAlive: true,
  });
  bench.onEnd(async () => client.close());
  const browser = await inBrowser(bench, system);
  return [
    ...(await overviewRows(bench, client)),
    ...(await latencyRows(bench, system, client, { root, browser })),
    ...(await firstLoadRows(bench, browser)),
    await streamsRow(bench, system, client),
  ];
}

async function overviewRows({ quick, say, signal }: Bench, client: UnixClient): Promise<Row[]> {
  const ask = async (path: string): Promise<number> => {
    const began = performance.now();
    await client.json({ path: `/api/v1/${path}` });
    return performance.now() - began;
  };
  const first = await ask('overview');
  const began = performance.now();
  const filled = async (): Promise<boolean> =>
    ((await client.json({ path: '/api/v1/overview' })) as Overview).day.complete;
  await waitFor(filled, { what: 'the rest of the day to be read', timeout: 60_000, interval: 200 });
  const rest = performance.now() - began;
  const alone: number[] = [];
  // Further apart than an answer is given twice.
  for (let i = quick ? 10 : 100; i > 0 && !signal.aborted; i--) {
    await sleep(1_050);
    alone.push(await ask('overview'));
  }
  await sleep(1_100);
  const together = await Promise.all(Array.from({ length: STREAMS }, () => ask('overview')));
  const status: number[] = [];
  for (let i = quick ? 30 : 300; i > 0 && !signal.aborted; i--) status.push(await ask('status'));
  say(`overview ${rounded(median(alone))} ms, status ${rounded(median(status))} ms`);
  const p99 = quantile(alone, 0.99);
  return [
    {
      id: 'overview-40',
      what: `API, overview of ${SERVICES} services and ${ROLLOUTS} rollouts, p99`,
      budget: '<= 300 ms',
      measured: p99,
      unit: 'ms',
      ok: p99 <= 300,
      detail:
        `of ${alone.length}, each looked for anew; median ${rounded(median(alone))} ms; the very first ${rounded(first)} ms, ` +
        `and the rest of the day is there ${rounded(rest / 1000)} s later; ${STREAMS} at the same moment, the last of them ${rounded(largest(together))} ms`,
      figures: { p99, median: median(alone), first, rest, together: largest(together) },
    },
    {
      id: 'status-api-40',
      what: `API, status of ${SERVICES} services and ${ROLLOUTS} rollouts, p99`,
      budget: '<= 300 ms',
      measured: quantile(status, 0.99),
      unit: 'ms',
      ok: quantile(status, 0.99) <= 300,
      detail: `of ${status.length}, one after the other; median ${rounded(median(status))} ms`,
      figures: { p99: quantile(status, 0.99), median: median(status) },
    },
  ];
}

/** What two hundred dashboards that are open take of the controller, while things happen. */
async function streamsRow({ quick, say, onEnd }: Bench, system: System, client: UnixClient): Promise<Row> {
  const pid = (await system.keeperInfo()).controller?.pid ?? 0;
  const settle = quick ? 2_000 : 15_000;
  await sleep(settle);
  const before = memoryOf([pid]).own[0] ?? 0;
  const gone = new AbortController();
  onEnd(async () => gone.abort());
  let begun = 0;
  const following = Array.from({ length: STREAMS }, async () => {
    let first = true;
    for await (const event of client.events({ path: '/api/v1/events', signal: gone.signal })) {
      if (first && event !== null) begun++;
      first = false;
    }
  }).map((each) => each.catch(() => undefined));
  await waitFor(() => begun === STREAMS, { what: 'all streams to be open', timeout: 30_000 });
  // Statistics are taken every ten seconds, and everybody is told.
  await sleep(quick ? 12_000 : 35_000);
  const with200 = memoryOf([pid]).own[0] ?? 0;
  gone.abort();
  await Promise.all(following);
  const more = with200 - before;
  say(`${rounded(before)} MB, with ${STREAMS} streams ${rounded(with200)} MB`);
  return {
    id: 'streams-200',
    what: `memory of the controller for ${STREAMS} open streams`,
    budget: '<= 20 MB',
    measured: more,
    unit: 'MB',
    ok: more <= 20,
    detail: `private memory ${rounded(before)} MB before, ${rounded(with200)} MB with them`,
    figures: { before, with200, more },
  };
}
