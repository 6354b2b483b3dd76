import type { RolloutView } from '../../api/contract/rollouts.ts';
import { formatDuration } from '../../lib/format.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { INTERRUPTED } from '../interrupt.ts';
import { stopped } from '../screen/text.ts';
import { type Finish, showWritten } from '../written-urls.ts';
import type { Followed } from './follow.ts';
import { comingCertificates, formerReleases, has, holds, newReleases, waysOn } from './words.ts';

/** Says what a followed rollout came to, and what can be done now. Returns the exit code. */
export async function report(
  context: Context,
  id: string,
  followed: Followed,
  finish: Finish = () => Promise.resolve(null),
): Promise<ExitCode> {
  const { out } = context;
  if (followed.kind === 'detached') {
    out.line(
      '',
      `Left; the rollout goes on by itself.`,
      ...commands([
        { command: `evenkeel watch ${id}`, means: 'see how it goes' },
        { command: `evenkeel abort ${id}`, means: 'take it back' },
      ]),
    );
    out.data({
      type: 'result',
      outcome: 'detached',
      exit: INTERRUPTED,
      rollout: id,
      message: 'left; the rollout goes on',
      urls: [],
    });
    return INTERRUPTED;
  }
  const { outcome, rollout } = followed;
  const { urls, coming } = outcome.exit === 0 ? await whereToLook(context, rollout) : { urls: [], coming: [] };
  // People have just seen the reason; programs get all of it in one stopped.
  const reason = outcome.kind === 'paused' ? (rollout.paused?.detail ?? rollout.reason) : rollout.reason;
  const ill = outcome.exit === 2 ? await notWell(context, rollout) : '';
  const said = `${summary(rollout, outcome.kind)}${ill === '' ? '' : ` ${ill}`}`;
  const message = outcome.exit === 0 ? said : `${said} ${stopped(reason)}`;
  const { style } = out;
  const mark =
    outcome.exit === 0
      ? style.green(style.symbols.done)
      : outcome.exit === 3
        ? style.yellow(style.symbols.paused)
        : style.red(style.symbols.failed);
  out.line('');
  out.prose(`${mark} ${said}`, 2);
  for (const url of urls) out.line(`  ${style.cyan(url)}`);
  for (const certificate of coming) out.prose(`  ${style.dim(`TLS: ${certificate}`)}`, 2);
  const urlFile = outcome.exit === 0 ? await finish() : null;
  if (urlFile !== null) showWritten(urlFile, out);
  for (const line of next(rollout, outcome.kind)) out.line(line);
  out.data({ type: 'result', outcome: outcome.kind, exit: outcome.exit, rollout: rollout.id, message, urls, urlFile });
  return outcome.exit;
}

function summary(rollout: RolloutView, kind: string): string {
  const fresh = newReleases(rollout);
  const former = formerReleases(rollout);
  const several = rollout.services.length;
  const took = formatDuration((rollout.promotedAt ?? rollout.endedAt ?? rollout.phaseSince) - rollout.createdAt);
  if (several === 0) return summaryOfNoRelease(rollout, kind, took);
  const workers = rollout.services.every((each) => each.kind === 'worker');
  switch (kind) {
    case 'promoted':
    case 'complete':
      return `${fresh} ${holds(rollout)} in ${rollout.environment}, after ${took}.`;
    case 'paused':
      return 'Paused: a person must decide.';
    default: {
      const back = workers
        ? `${former} ${several === 1 ? 'runs' : 'run'} again`
        : `${former} ${has(former.split(', ').length)} all traffic`;
      const now = former === '' ? 'nothing serves instead, since this was the first release' : back;
      return `${fresh} ${several === 1 ? 'was' : 'were'} taken back (${kind}); ${now}.`;
    }
  }
}

/** It only took services down, or moved the port. */
function summaryOfNoRelease({ removes, opens, environment }: RolloutView, kind: string, took: string): string {
  if (kind === 'paused') return 'Paused: a person must decide.';
  const gone = removes.map(({ service }) => service).join(', ');
  const parts = [
    gone === '' ? null : `${gone} ${removes.length === 1 ? 'was' : 'were'} taken down`,
    opens === null ? null : `the public port is ${opens.port}`,
  ].filter((part) => part !== null);
  if (kind === 'promoted' || kind === 'complete') return `In ${environment}, ${parts.join(' and ')}, after ${took}.`;
  return `It was taken back (${kind}); everything is as it was.`;
}

function next(rollout: RolloutView, kind: string): string[] {
  if (kind === 'paused') return commands(waysOn(rollout));
  if (kind === 'promoted' && rollout.end === null && formerReleases(rollout) !== '') {
    const window = formatDuration(rollout.rollbackWindowMs);
    const [only] = rollout.services;
    const what =
      rollout.services.length === 1 && rollout.removes.length === 0 && only !== undefined ? only.service : '--all';
    return commands([
      {
        command: `evenkeel rollback ${what}${envOption(rollout.environment)}`,
        means: rollout.services.some(({ alone }) => alone === true)
          ? `within ${window}; a stop and a start where two cannot run at once`
          : `at once, while the former release is hot (${window})`,
      },
    ]);
  }
  if (kind === 'promoted' || kind === 'complete') return [];
  return commands([
    { command: `evenkeel rollouts show ${rollout.id}`, means: 'the whole story' },
    ...logsOf(rollout, kind),
  ]);
}

/** What a release wrote that failed; with several it is not known whose fault it was. */
function logsOf({ services, environment, phase }: RolloutView, kind: string): { command: string; means: string }[] {
  const [only] = services;
  if (kind !== 'failed' || services.length !== 1 || only === undefined || only.kind === 'static') return [];
  const ofJob = phase === 'building' ? 'build' : phase === 'migrating' ? 'migrate' : null;
  // Before anything was started it wrote nothing.
  if (phase === 'pending') return [];
  const what = ofJob === null ? `--release ${only.to}` : `--job ${ofJob}`;
  const means = ofJob === null ? 'what it wrote' : 'all that the job wrote';
  return [{ command: `evenkeel logs ${only.service} ${what}${envOption(environment)}`, means }];
}

const envOption = (environment: string): string => (environment === 'development' ? '' : ` --env ${environment}`);

function commands(list: readonly { command: string; means: string }[]): string[] {
  const width = Math.max(0, ...list.map(({ command }) => command.length));
  return list.map(({ command, means }) => `  ${command.padEnd(width)}  ${means}`);
}

/**
 * What is wrong with the releases that are to serve again: having all traffic is not serving it. Empty when nothing is,
 * or when the controller cannot say it now.
 */
async function notWell(context: Context, { project, environment, services }: RolloutView): Promise<string> {
  try {
    const { environments } = await (await context.client()).getStatus({ project, environment });
    const formers = new Set(services.flatMap(({ from }) => (from === null ? [] : [from])));
    const ill = environments
      .flatMap((each) => each.services)
      .filter(({ release, health }) => release !== null && formers.has(release) && health === 'down');
    return ill.map(({ release, detail }) => `But ${release} is down: ${stopped(detail)}`).join(' ');
  } catch {
    return '';
  }
}

/** Where the new releases answer; empty when the controller cannot say it now. */
/** The addresses, and which certificates they still need. */
async function whereToLook(
  context: Context,
  { project, environment, services }: RolloutView,
): Promise<{ urls: string[]; coming: string[] }> {
  try {
    const { environments } = await (await context.client()).getStatus({ project, environment });
    const names = new Set(services.map(({ service }) => service));
    const all = environments.flatMap((each) =>
      each.services.filter(({ service }) => names.has(service)).flatMap(({ urls }) => urls),
    );
    return {
      urls: [...new Set(all)],
      coming: environments.flatMap((each) => comingCertificates(each, { refused: true })),
    };
  } catch {
    return { urls: [], coming: [] };
  }
}
