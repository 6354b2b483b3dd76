/**
 * Brings examples/chat up on a real evenkeel, puts it under steady load, ships a good version through a canary (and
 * kills the controller in the middle of it), takes it back by hand, ships a bad version that is taken back by itself,
 * and ends with the figures. Exit code 0 when everything was as promised.
 */
import { readKeeperInfo } from '../../src/platform/keeper-info.ts';
import { evenkeelPaths } from '../../src/platform/paths.ts';
import { standardLoad } from '../../test/support/load/options.ts';
import type { LoadReport } from '../../test/support/load/report.ts';
import { spawnLoad, type SpawnedLoad } from '../../test/support/load/spawn-load.ts';
import { broken, type Figures, table } from './chat-figures.ts';
import { Stage } from './chat-stage.ts';
import { openTell } from './tell.ts';

const LOAD_SCALE = 0.45;

const json = process.argv.includes('--json');
const keep = process.argv.includes('--keep');
const {
  say,
  style: { bold },
} = openTell({ quiet: json });

const stage = await Stage.open(json);
const figures: Figures = {
  requests: 0,
  failed: 0,
  promoted: false,
  rolledBack: false,
  switchMs: null,
  rollbackMs: null,
  detectedAfterRequests: null,
  controllerKills: 0,
};
let load: SpawnedLoad | null = null;
let report: LoadReport | null = null;
let closing = false;

process.on('SIGINT', () => void interrupted());
process.on('SIGTERM', () => void interrupted());

try {
  await play();
} catch (error) {
  process.exitCode = 1;
  say(`\nThe demo did not get through: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await finish();
}

async function play(): Promise<void> {
  say(bold('1  A small system goes up: an API with a database, a model, WebSockets, a page'));
  await expectCode(stage.json(['secrets', 'set', 'JWT_SECRET'], stage.jwtSecret), 'the secret is set');
  await expectCode(stage.show(['up']), 'the system goes up');

  load = await spawnLoad(
    standardLoad({ host: '127.0.0.1', port: stage.port }, LOAD_SCALE, {
      jwtSecret: stage.jwtSecret,
      expectBadVersions: ['v3'],
      // Many short visits, as a public system has them: a canary is judged by sessions, not by requests.
      cookieless: 0.6,
    }),
    { seconds: 300 },
  );
  await seconds(3);
  say(
    `\n   ${standardLoad({ host: '', port: 0 }, LOAD_SCALE).rate} requests a second, WebSockets, event streams, uploads: on until the end\n`,
  );

  say(bold('2  v2, a good version: 10 %, 50 %, 100 %; its controller is killed on the way'));
  stage.changeRelease({ version: 'v2', errorRate: 0, extraDelayMs: 0 });
  const good = stage.show(['deploy', 'api', '--version', 'v2']);
  await Promise.race([sayWhereToWatch(), good]);
  await Promise.race([killControllerInCanary(), good]);
  figures.promoted = (await good).code === 0;
  figures.switchMs = await detailOfLast('watching', 'switchMs');

  say(`\n${bold('3  Second thoughts: back to v1 by hand')}`);
  const back = await stage.show(['rollback', 'api']);
  if (back.code === 0) figures.rollbackMs = Math.round(back.ms);
  await seconds(2);

  say(`\n${bold('4  v3, a bad version: 5 % errors and slower; nobody does anything')}`);
  stage.changeRelease({ version: 'v3', errorRate: 0.05, extraDelayMs: 150 });
  const bad = await stage.show(['deploy', 'api', '--version', 'v3']);
  const verdict = await detailOfLast('failed', 'verdict');
  figures.rolledBack = bad.code === 2 && verdict !== null;
  figures.detectedAfterRequests = (verdict as { canaryRequests?: number } | null)?.canaryRequests ?? null;
  await seconds(2);
}

/** The id of the rollout that is under way, as soon as there is one, with where it is. */
async function underWay(): Promise<{ id: string; phase: string } | null> {
  const { documents } = await stage.json(['rollouts', '--limit', '1']);
  const [latest] = (documents[0]?.['rollouts'] ?? []) as { id: string; phase: string; end: string | null }[];
  return latest?.end === null ? latest : null;
}

async function sayWhereToWatch(): Promise<void> {
  if (json) return;
  let rollout: { id: string; phase: string } | null = null;
  while ((rollout === null || rollout.phase === 'watching') && !closing) {
    await seconds(0.2);
    rollout = await underWay();
  }
  const link = await dashboardLink(`/rollouts/${rollout?.id ?? ''}`);
  if (link !== null) say(`\n   Watch it in the browser; this link signs you in, once:\n   ${bold(link)}\n`);
}

async function dashboardLink(page: string | null): Promise<string | null> {
  const { documents } = await stage.json(['dashboard', ...(page === null ? [] : ['--page', page])]);
  return (documents[0]?.['url'] ?? null) as string | null;
}

/** In the middle of the first step: it must come back by itself, and the rollout go on as if nothing had been. */
async function killControllerInCanary(): Promise<void> {
  const paths = evenkeelPaths(stage.env);
  for (let phase = ''; phase !== 'canary' && !closing;) {
    await seconds(0.2);
    phase = (await underWay())?.phase ?? '';
  }
  await seconds(4);
  // What is kept for a look afterwards is left alone.
  if (closing) return;
  const pid = (await readKeeperInfo(paths))?.controller?.pid;
  if (pid === undefined) throw new Error('there is no controller to kill');
  process.kill(pid, 'SIGKILL');
  figures.controllerKills++;
}

/** A number or object that the journal of the newest rollout keeps with its transition to `phase`. */
async function detailOfLast<T = number>(phase: string, key: string): Promise<T | null> {
  const { documents } = await stage.json(['rollouts', 'show']);
  const entries = (documents[0]?.['entries'] ?? []) as { to: string; detail: Record<string, unknown> }[];
  return (entries.findLast((entry) => entry.to === phase)?.detail[key] ?? null) as T | null;
}

async function finish(): Promise<void> {
  if (closing) return;
  closing = true;
  report = load === null ? null : await load.stop().catch(() => null);
  figures.requests = report?.requests ?? 0;
  figures.failed = report?.failed ?? 0;
  const wrong = broken(figures);
  if (wrong.length > 0) process.exitCode = 1;
  say(`\n${table(figures, report)}\n`);
  for (const what of wrong) say(`  not as promised: ${what}`);
  for (const each of report?.examples ?? [])
    say(`  ${new Date(each.at).toISOString()} ${each.what}: ${each.kind} ${each.detail}`);
  if (keep) sayHowToGoOn(await dashboardLink(null).catch(() => null));
  else await stage.close();
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
}

function sayHowToGoOn(dashboard: string | null): void {
  say(`It goes on running at http://127.0.0.1:${stage.port}/.`);
  if (dashboard !== null) say(`Its dashboard, with a link that signs you in once:\n\n  ${bold(dashboard)}\n`);
  say('Try:\n');
  say(`  cd ${stage.project}`);
  say(
    `  export EVENKEEL_HOME=${stage.home} EVENKEEL_SECRETS_KEY_FILE=${stage.env['EVENKEEL_SECRETS_KEY_FILE']} EVENKEEL_ENV=${stage.env['EVENKEEL_ENV']} MODEL_DELAY_MS=60`,
  );
  say(`  alias evenkeel=${process.cwd()}/bin/evenkeel`);
  say('  evenkeel status');
  say('  evenkeel deploy api --version v4    # after a change of api/release.js; nobody visits it any more, so that');
  say('                                      # it waits for you with nothing seen: evenkeel promote api, or abort');
  say('  evenkeel rollouts');
  say('  evenkeel logs api --follow');
  say('  evenkeel dashboard                  # another link, when this one was used');
  say(`  evenkeel server stop --instances   # and then: rm -r ${stage.folder}`);
}

async function interrupted(): Promise<void> {
  say('\nInterrupted; cleaning up.');
  process.exitCode = 130;
  if (closing) return;
  closing = true;
  await load?.stop().catch(() => null);
  await stage.close();
  process.exit(130);
}

async function expectCode(run: Promise<{ code: number | null; errors?: string }>, what: string): Promise<void> {
  const { code, errors } = await run;
  if (code !== 0) throw new Error(`${what}: exit code ${code} ${errors ?? ''}`);
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
