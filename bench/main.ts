/**
 * npm run bench [-- --quick] [-- --json] [-- --strict] [-- --only edge,switch] [-- --write]
 *
 * Measures every budget of the design beside its bound, on this machine, against real processes. `--json` prints one
 * JSON document on the last line; `--strict` fails when a budget is missed; `--write` puts the figures into the
 * documents.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiRows } from './api/api.ts';
import { analysisRows } from './report/analysis-rows.ts';
import { cloudRows } from './cloud/cloud.ts';
import { coldStartRows } from './cli/cold-start.ts';
import { edgeRows } from './report/edge-rows.ts';
import { idleRows } from './idle/idle.ts';
import { endProcessesOf } from './report/left-overs.ts';
import { machine, machineText } from './report/machine.ts';
import type { Bench, Row } from './report/row.ts';
import { humanTable } from './report/table.ts';
import { writeDocuments } from './report/write.ts';
import { crashRows } from './rollout/crash.ts';
import { manyRows } from './rollout/many.ts';
import { onStage } from './rollout/on-stage.ts';
import { switchRows } from './rollout/switch.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  edge: edgeRows,
  switch: onStage(switchRows),
  rollouts: onStage(manyRows),
  crash: crashRows,
  idle: idleRows,
  start: coldStartRows,
  api: apiRows,
  cloud: cloudRows,
  analysis: analysisRows,
};

const wanted = flags.only?.split(',') ?? Object.keys(PARTS);
for (const name of wanted)
  if (!(name in PARTS)) {
    console.error(`bench: there is no part ${name}; there are ${Object.keys(PARTS).join(', ')}`);
    process.exit(2);
  }

const STOP_MS = 20_000;

const where = machine();
// Short, since the paths of Unix sockets are limited; everything that is made and run lies below it.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ekb-')));
process.env['TMPDIR'] = folder;
// Services of the bench run on the Node that runs it.
process.env['PATH'] = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
const stops: (() => Promise<void>)[] = [];
const given = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (given.signal.aborted) return;
    given.abort();
    process.stderr.write('\nInterrupted; cleaning up.\n');
    void cleanUp().finally(() => process.exit(130));
  });

const started = performance.now();
const say = (text: string): void => {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${text}\n`);
};
say(machineText(where));
const rows: Row[] = [];
let broken = 0;
for (const name of wanted) {
  const part = PARTS[name];
  if (part === undefined || given.signal.aborted) continue;
  say(`${name}: begins`);
  try {
    const bench: Bench = {
      quick: flags.quick,
      folder,
      signal: given.signal,
      say: (text) => say(`${name}: ${text}`),
      onEnd: (stop) => void stops.push(stop),
    };
    rows.push(...(await part(bench)));
  } catch (error) {
    if (given.signal.aborted) break;
    say(`${name}: could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    broken++;
    process.exitCode = 1;
  }
  await stopAll();
}
if (!given.signal.aborted) {
  await cleanUp();
  const missed = rows.filter((row) => row.ok === false);
  if (flags.write) for (const file of writeDocuments(rows, where)) say(`wrote ${file}`);
  if (flags.json) process.stdout.write(`${JSON.stringify({ rows, machine: where })}\n`);
  else {
    process.stdout.write(`\n${humanTable(rows, process.stdout.columns ?? 120)}\n\n${machineText(where)}\n`);
    const met = missed.length === 0 ? 'all met' : `${missed.length} missed`;
    process.stdout.write(
      `${rows.length} budgets measured, ${met}${broken === 0 ? '' : `; ${broken} parts could not be measured`}.\n`,
    );
  }
  if (flags.strict && missed.length > 0) process.exitCode = 2;
}

async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) {
    // What does not stop in good order is ended by pid.
    const late = new Promise<void>((resolve) => void setTimeout(resolve, STOP_MS).unref());
    await Promise.race([stop(), late]).catch((error: unknown) => say(`cleaning up: ${String(error)}`));
  }
}

async function cleanUp(): Promise<void> {
  // A stop in good order takes a while; whoever pressed Ctrl-C wants to be gone.
  if (!given.signal.aborted) await stopAll();
  for (let round = 0; round < 5 && endProcessesOf(folder) > 0; round++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
