import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cloudBuildSchema } from '../../src/api/contract/cloud/build.ts';
import { cloudPlanSchema } from '../../src/api/contract/cloud/plan.ts';
import { cloudStatusSchema } from '../../src/api/contract/cloud/look.ts';
import { openHome, type System } from '../../test/support/evenkeel-home.ts';
import { memoryOf } from '../idle/memory.ts';
import { largest, median, rounded } from '../report/figures.ts';
import type { Bench, Row } from '../report/row.ts';
import { OTHERS, SERVICES, writeForty } from './forty.ts';

const DIGITWIN = fileURLToPath(new URL('../../examples/digitwin', import.meta.url));
const SAMPLE_MS = 250;

/** Forty services and sixty other resources on an emulated Google Cloud: how quickly are they looked at, and with how many calls? */
export async function cloudRows({ quick, folder, signal, say, onEnd }: Bench): Promise<Row[]> {
  const base = join(folder, 'cloud');
  const root = join(base, 'forty');
  mkdirSync(base);
  const system = openHome(base);
  // Operations take no time, so that what is measured is evenkeel; the key of the example's account goes below its home.
  Object.assign(system.env, { HOME: base, EVENKEEL_EMULATOR_SPEED: '100000', EVENKEEL_CLOUD_METRICS: '1000/1000' });
  const cloud = commandsOf(system, root, 'staging');
  onEnd(async () => void (await system.cli(['cloud', 'emulator', 'stop'], { cwd: base })));
  onEnd(() => system.stop());

  writeForty(root, null);
  await cloud(['setup', '--yes']);
  await cloud(['secret', 'S01'], 'hush');
  const line = cloudBuildSchema.parse(last(await cloud(['build', 's01', '--json'])));
  const [built] = line.type === 'result' ? line.built : [];
  if (built === undefined) throw new Error('the image was not built');
  writeForty(root, built.image);
  say(`${OTHERS} resources are there`);
  const memory = await whileRollingOut(system, () => cloud(['deploy']));
  say(`${SERVICES} services are up after ${rounded(memory.seconds)} s; the controller took ${rounded(memory.most)} MB`);

  const times = quick ? 4 : 12;
  const planned = cloudPlanSchema.parse(last(await cloud(['plan', '--json'])));
  const lines = planned.lines.filter(({ action }) => action !== 'unmanaged');
  const others = lines.filter(({ kind }) => kind !== 'service').length;
  if (lines.length !== SERVICES + OTHERS) throw new Error(`${lines.length} resources, ${others} of them no services`);
  const plan = await walls(() => cloud(['plan']), { times, signal });
  const { counts } = cloudStatusSchema.parse(last(await cloud(['status', '--json'])));
  if (counts['ready'] !== lines.length) throw new Error(`not all are ready: ${JSON.stringify(counts)}`);
  const status = await walls(() => cloud(['status']), { times, signal });
  // The server looks at what it runs, and its calls are not the set-up's.
  await system.stop();
  const many = await callsOf(system, () => cloud(['setup', '--yes']));
  say(`plan ${rounded(median(plan))} ms, status ${rounded(median(status))} ms, set-up ${many.total} calls`);

  const twin = join(base, 'digitwin');
  cpSync(DIGITWIN, twin, { recursive: true, filter: (path) => !/\/(node_modules|generated)$/.test(path) });
  const example = commandsOf(system, twin, 'production');
  await example(['setup', '--yes']);
  const few = await callsOf(system, () => example(['setup', '--yes']));
  const all = `${SERVICES} services and ${OTHERS} other resources`;
  return [
    timeRow({ id: 'cloud-plan', what: `\`evenkeel cloud plan\`, ${all}, emulated, wall`, bound: 2_000 }, plan),
    timeRow({ id: 'cloud-status', what: `\`evenkeel cloud status\` of the same, wall`, bound: 2_000 }, status),
    {
      id: 'cloud-calls',
      what: `calls of Google's APIs for an unchanged set-up of the same`,
      budget: 'no bound',
      measured: many.total,
      unit: '',
      ok: null,
      detail: `${namesOf(many)}; examples/digitwin: ${few.total}`,
      figures: { forty: many.total, digitwin: few.total },
    },
    {
      id: 'cloud-memory',
      what: `the controller, at most, while ${SERVICES} services roll out on Cloud Run`,
      budget: '<= 150 MB',
      measured: memory.most,
      unit: 'MB',
      ok: memory.most <= 150,
      detail:
        `with what it shares with other Node processes, private ${rounded(memory.own)} MB; the emulator and its services are ` +
        `not counted; all ${SERVICES} as one unit in ${rounded(memory.seconds)} s`,
      figures: { most: memory.most, own: memory.own, seconds: memory.seconds },
    },
  ];
}

function timeRow({ id, what, bound }: { id: string; what: string; bound: number }, taken: readonly number[]): Row {
  const measured = median(taken);
  return {
    id,
    what,
    budget: `<= ${bound.toLocaleString('en-US')} ms`,
    measured,
    unit: 'ms',
    ok: measured <= bound,
    detail: `median of ${taken.length}, largest ${rounded(largest(taken))} ms; every answer checked by the emulator on the way`,
    figures: { median: measured, largest: largest(taken) },
  };
}

type Commands = (args: string[], input?: string) => Promise<{ stdout: string; ms: number }>;

/** `evenkeel cloud --emulate …`, which must end well. */
const commandsOf =
  (system: System, cwd: string, environment: string): Commands =>
  async (args, input = '') => {
    const words = ['cloud', '--emulate', ...args, '--env', environment];
    const { code, stdout, stderr, ms } = await system.cli(words, { cwd, input });
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${stderr}${stdout.slice(-2_000)}`);
    return { stdout, ms };
  };

const last = ({ stdout }: { stdout: string }): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

async function walls(
  command: () => Promise<{ ms: number }>,
  { times, signal }: { times: number; signal: AbortSignal },
): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < times && !signal.aborted) taken.push((await command()).ms);
  return taken;
}

interface Calls {
  total: number;
  counts: Record<string, number>;
}

/** How often the APIs were called meanwhile, by method. */
async function callsOf(system: System, work: () => Promise<unknown>): Promise<Calls> {
  await control(system, 'DELETE');
  await work();
  return (await control(system, 'GET')) as Calls;
}

async function control({ paths }: System, method: string): Promise<unknown> {
  const place = JSON.parse(readFileSync(join(paths.home, 'emulator/emulator.json'), 'utf8')) as Record<string, string>;
  const headers = { authorization: `Bearer ${place['token']}`, connection: 'close' };
  const reply = await fetch(`${place['url']}/_emulator/calls`, { method, headers });
  if (!reply.ok) throw new Error(`the emulator answered ${reply.status}`);
  return reply.json();
}

/** What is called more than once. */
function namesOf({ counts }: Calls): string {
  const several = Object.entries(counts).filter(([, count]) => count > 1);
  return several.map(([method, count]) => `${count} ${method.split('.').slice(-2).join('.')}`).join(', ');
}

/** The controller's largest memory meanwhile, MiB. */
async function whileRollingOut(
  system: System,
  work: () => Promise<unknown>,
): Promise<{ most: number; own: number; seconds: number }> {
  const began = performance.now();
  const seen = { most: 0, own: 0 };
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const pid = await system.keeperInfo().then(
        ({ controller }) => controller?.pid ?? 0,
        () => 0,
      );
      if (pid > 0) {
        const { alone, own } = memoryOf([pid]);
        seen.most = Math.max(seen.most, alone);
        seen.own = Math.max(seen.own, own[0] ?? 0);
      }
      await sleep(SAMPLE_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    await work();
  } finally {
    over.abort();
    await watching;
  }
  return { ...seen, seconds: (performance.now() - began) / 1000 };
}
