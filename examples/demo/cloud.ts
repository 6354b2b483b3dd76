/**
 * Plays the whole story of examples/digitwin on an emulated Google Cloud: plan, set-up, secrets, build, a first deploy, a
 * good version by canary under real requests, a bad one that is taken back by itself, a rollback by hand, status, cost,
 * rest and clean-up; and ends with the figures. Exit code 0 when everything was as promised.
 */
import { request } from 'node:http';
import type { ZodType } from 'zod';
import { cloudCleanupSchema } from '../../src/api/contract/cloud/cleanup.ts';
import {
  cloudCostSchema,
  cloudListSchema,
  cloudStatusSchema,
  cloudUrlsSchema,
} from '../../src/api/contract/cloud/look.ts';
import { cloudPlanSchema } from '../../src/api/contract/cloud/plan.ts';
import { type CloudEvent, type CloudResult, cloudRunLineSchema } from '../../src/api/contract/cloud/run.ts';
import { wordsOf, usually } from '../../src/cli/cloud/words.ts';
import { formatDuration } from '../../src/lib/format.ts';
import { withDefaults } from '../../test/support/load/options.ts';
import type { LoadReport } from '../../test/support/load/report.ts';
import { spawnLoad, type SpawnedLoad } from '../../test/support/load/spawn-load.ts';
import { bars, broken, noFigures, table } from './cloud-figures.ts';
import { costLines, kindsIn, planLines, statusLines, wrapped } from './cloud-looks.ts';
import { CloudStage } from './cloud-stage.ts';
import type { CliRun } from './commands.ts';
import { openTell } from './tell.ts';

const RATE = 70;
/** What a build prints line by line. */
const BUILD_LOG = /^[\d:]+ {2}\S+ +\| /;

const json = process.argv.includes('--json');
const keep = process.argv.includes('--keep');
const { say, live, style } = openTell({ quiet: json });

const stage = new CloudStage(json);
const figures = noFigures();
let load: SpawnedLoad | null = null;
let report: LoadReport | null = null;
let closing = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupted());

try {
  await play();
} catch (error) {
  process.exitCode = 1;
  const why = error instanceof Error ? error.message : String(error);
  if (!closing) process.stderr.write(`\nThe demo did not get through: ${why}\n`);
} finally {
  await finish();
}

async function play(): Promise<void> {
  say(style.bold('1  What would be made of one file, and what it costs a month'));
  const planned = await run('plan');
  const plan = said(cloudPlanSchema, planned);
  figures.planMs = planned.ms;
  figures.resources = plan.lines.filter(({ action }) => action !== 'unmanaged').length;
  figures.monthly = { from: plan.monthly.total.low, to: plan.monthly.total.high ?? Number.NaN };
  tell(planLines(plan));

  say(`\n${style.bold('2  Set-up: independent things at once; and once more, which finds nothing to do')}`);
  const setUp = await changing('setup --yes');
  figures.setupMs = setUp.ms;
  const before = (await stage.calls()).total;
  const again = await changing('setup --yes');
  if (resultOf(again).outcome === 'nothing') figures.unchangedCalls = (await stage.calls()).total - before;
  await run('secret JWT_SECRET', stage.jwtSecret);
  await run('secret REFRESH_SECRET', crypto.randomUUID());

  say(`\n${style.bold('3  Images and services: one image, then everything, with its migration')}`);
  await run('build face-processing-service');
  figures.firstDeployMs = (await shown('deploy --version 1.0.0')).ms;
  const { services } = said(cloudUrlsSchema, await run('urls --check --write'));
  for (const { url, check } of services) tell([`${url ?? ''}  ${check?.answered ?? 'not asked'}`]);
  const url = new URL(services.find(({ service }) => service === 'api-gateway')?.url ?? 'https://nowhere');

  load = await spawnVisitors(url.host);
  say(`\n   ${RATE} requests a second from here on: a good part of them sign-ins\n`);

  say(style.bold('4  1.1.0, a good version: 20 %, 50 %, 100 % of requests'));
  stage.changeVersion({ name: '1.1.0', broken: false });
  const good = await shown('deploy api-gateway --version 1.1.0');
  figures.canaryMs = good.ms;
  figures.promoted = (await answers(url.host)).version === '1.1.0';

  say(`\n${style.bold('5  Second thoughts: back to 1.0.0 by hand')}`);
  const back = await shown('rollback api-gateway');
  if ((await answers(url.host)).version === '1.0.0') figures.rollbackMs = back.ms;

  say(`\n${style.bold('6  1.2.0, a bad version: every second sign-in fails; nobody does anything')}`);
  stage.changeVersion({ name: '1.2.0', broken: true });
  const bad = await shown('deploy api-gateway --version 1.2.0', 2);
  const entries = await journal();
  const failed = entries.findLast(({ to }) => to === 'failed');
  const canary = entries.findLast(({ to }) => to === 'canary');
  const verdict = failed?.detail['verdict'] as { canaryRequests?: number } | undefined;
  figures.rolledBack = bad.code === 2 && (await answers(url.host)).version === '1.0.0';
  figures.detectedAfterRequests = verdict?.canaryRequests ?? null;
  if (failed !== undefined && canary !== undefined) figures.takenBackMs = failed.at - canary.at;

  say(`\n${style.bold('7  How it is, what it costs')}`);
  const looked = await run('status');
  const status = said(cloudStatusSchema, looked);
  figures.statusMs = looked.ms;
  figures.unwell = status.resources.filter((each) => each.state !== 'ready' || each.differs.length > 0).length;
  tell(statusLines(status));
  tell(costLines(said(cloudCostSchema, await run('cost'))));
  await endLoad();
  if (keep) return;

  say(`\n${style.bold('8  A night’s rest, and away with everything')}`);
  await changing('stop --yes');
  const resting = await answers(url.host);
  tell([`A visitor is answered ${resting.status}.`]);
  await changing('start');
  const awake = await answers(url.host);
  tell([`A visitor is answered ${awake.status}.`]);
  if (resting.status < 500 || awake.status !== 200) throw new Error('rest and wake were not as they should be');
  const { items } = said(cloudCleanupSchema, await run('cleanup --list'));
  const guarded = items.filter(({ protection }) => protection !== null).map(({ name }) => name);
  tell(wrapped(`${kindsIn(items)}. Typed: DELETE ALL, then ${guarded.join(', ')}.`));
  figures.cleanupMs = (await changing('cleanup', ['DELETE ALL', ...guarded, ''].join('\n'))).ms;
  const { resources } = said(cloudListSchema, await run('list'));
  // APIs and the project's log settings cost nothing and are left on.
  figures.left = resources.filter(({ owner, kind }) => owner === 'ours' && kind !== 'api').length;
}

/** `evenkeel cloud --emulate …`, told in a few lines by whoever called it. */
async function run(words: string, input = ''): Promise<CliRun> {
  say(style.dim(`   $ evenkeel cloud --emulate ${words} --env production`));
  return checked(await stage.cloud(words.split(' '), { input }), words);
}

/** One that changes resources: how far it is while it goes on, what was done at the end. */
async function changing(words: string, input = ''): Promise<CliRun> {
  say(style.dim(`   $ evenkeel cloud --emulate ${words} --env production`));
  const open = new Map<string, CloudEvent>();
  let done = 0;
  const onDocument = (document: unknown): void => {
    const event = cloudRunLineSchema.parse(document);
    if (event.type === 'begun') open.set(event.address, event);
    else if (event.type === 'done') done += Number(open.delete(event.address));
    const [slowest] = open.values();
    if (slowest?.type === 'begun')
      live(`   ${done} done; ${wordsOf(slowest).now} ${slowest.address} (usually ${usually(slowest.usually)})`);
  };
  const ended = await stage.cloud(words.split(' '), { input, onDocument });
  live('');
  const result = resultOf(checked(ended, words));
  const acts = result.done.map((each) => wordsOf(each).done);
  const counts = [...new Set(acts)].map((act) => `${acts.filter((each) => each === act).length} ${act}`);
  tell([`${counts.length === 0 ? 'Nothing to do' : counts.join(', ')}, in ${formatDuration(ended.ms)}.`]);
  return ended;
}

/** A rollout or the like, as a person sees it. */
async function shown(words: string, code = 0): Promise<{ code: number | null; ms: number }> {
  const cloud = words.startsWith('deploy') ? 'cloud --emulate ' : '';
  say(style.dim(`   $ evenkeel ${cloud}${words} --env production`));
  const ended = await stage.show(`${cloud}${words}`.split(' '), BUILD_LOG);
  if (ended.code !== code) throw new Error(`${words}: exit code ${ended.code}, not ${code}`);
  return ended;
}

function checked(ended: CliRun, words: string): CliRun {
  if (ended.code !== 0) throw new Error(`${words}: exit code ${ended.code} ${ended.errors}`);
  return ended;
}

/** What a command said last, as its contract has it. */
function said<T>(schema: ZodType<T>, { documents }: CliRun): T {
  return schema.parse(documents.at(-1));
}

function resultOf(run: CliRun): CloudResult {
  const line = said(cloudRunLineSchema, run);
  if (line.type !== 'result') throw new Error('it ended without a result');
  return line;
}

function tell(lines: string[]): void {
  for (const line of lines) say(`   ${line}`);
}

async function journal(): Promise<{ to: string; at: number; detail: Record<string, unknown> }[]> {
  const { documents } = await stage.json(['rollouts', 'show']);
  return (documents[0]?.['entries'] ?? []) as { to: string; at: number; detail: Record<string, unknown> }[];
}

/** People who look around, sign in and see what is theirs. */
function spawnVisitors(host: string): Promise<SpawnedLoad> {
  const { hostname, port } = new URL(stage.emulator.url);
  return spawnLoad(
    withDefaults({
      target: { host: hostname, port: Number(port), hostHeader: host },
      rate: RATE,
      sessions: 40,
      mix: [
        { name: 'about', weight: 30, method: 'GET', path: '/api/about' },
        { name: 'sign-in', weight: 40, method: 'POST', path: '/api/sign-in', json: { name: 'ada' } },
        { name: 'twins', weight: 30, method: 'GET', path: '/api/twins', auth: true },
      ],
      jwtSecret: stage.jwtSecret,
      expectBadVersions: ['1.2.0'],
    }),
    { seconds: 300 },
  );
}

/** Which version answers a visitor, and how. */
function answers(host: string): Promise<{ status: number; version: string | null }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${stage.emulator.url}/api/health`, { headers: { host }, agent: false }, (reply) => {
      reply.resume();
      const version = reply.headers['x-app-version'];
      resolve({ status: reply.statusCode ?? 0, version: typeof version === 'string' ? version : null });
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function endLoad(): Promise<void> {
  report = load === null ? report : await load.stop().catch(() => null);
  load = null;
  figures.requests = report?.requests ?? 0;
  figures.failed = report?.failed ?? 0;
}

async function finish(): Promise<void> {
  if (closing) return;
  closing = true;
  await endLoad();
  const calls = await stage.calls().catch(() => null);
  figures.calls = calls?.total ?? 0;
  figures.violations = calls?.violations.length ?? 0;
  // What did not get through was told, and nothing after it was tried.
  const wrong = process.exitCode === 1 ? [] : broken(figures, { kept: keep });
  if (wrong.length > 0) process.exitCode = 1;
  say(`\n${bars(figures, { width: 20, block: style.symbols.full })}\n\n${table(figures, report)}\n`);
  const problems = [
    ...wrong.map((what) => `not as promised: ${what}`),
    ...(report?.examples ?? []).map(({ at, what, kind, detail, version = 'no version' }) =>
      [new Date(at).toISOString(), `${what}:`, kind, detail, `(${version})`].join(' '),
    ),
  ];
  for (const problem of problems) process.stderr.write(`  ${problem}\n`);
  if (keep) sayHowToGoOn();
  else await stage.close();
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
}

function sayHowToGoOn(): void {
  const { env, project, folder, emulator } = stage;
  const names = ['EVENKEEL_HOME', 'EVENKEEL_SECRETS_KEY_FILE', 'EVENKEEL_EMULATOR_SPEED', 'EVENKEEL_CLOUD_METRICS'];
  say(`It goes on running; Google Cloud is emulated at ${emulator.url}. Try:\n`);
  say(`  cd ${project}`);
  say(`  export HOME=${folder} EVENKEEL_ENV=production`);
  say(`  export ${names.map((name) => `${name}=${env[name] ?? ''}`).join(' ')}`);
  say(`  alias evenkeel=${process.cwd()}/bin/evenkeel`);
  say('  evenkeel cloud --emulate plan');
  say('  evenkeel cloud --emulate list');
  say('  evenkeel status');
  say('  evenkeel cloud --emulate cleanup --env production');
  say(`  evenkeel server stop; evenkeel cloud emulator stop    # and then: rm -r ${folder}`);
}

async function interrupted(): Promise<void> {
  process.exitCode = 130;
  if (closing) return;
  closing = true;
  say('\nInterrupted; cleaning up.');
  await load?.stop().catch(() => null);
  await stage.close();
  process.exit(130);
}
