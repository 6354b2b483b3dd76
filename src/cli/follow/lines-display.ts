import type { RolloutView } from '../../api/contract/rollouts.ts';
import { formatDuration, formatPercent, formatTimeLeft } from '../../lib/format.ts';
import type { CliDeps } from '../deps.ts';
import type { Output } from '../output.ts';
import { printable } from '../screen/text.ts';
import { timeOfDay } from '../screen/time.ts';
import type { Display } from './display.ts';
import type { FollowState } from './state.ts';
import { metricsLine, newReleases, requestsLine } from './words.ts';

/** Between two lines that only say how far it is, ms: while something is decided, and while a window is waited out. */
const PROGRESS_EVERY = 30_000;
const WINDOW_EVERY = 120_000;
const LOOK_EVERY = 1_000;
const SILENCE_AFTER = 5_000;

/** Cells of what a line is about, and before its text: the time, and that. */
const WHAT = 'contracting'.length;
const INDENT = 8 + 2 + WHAT + 2;

/** In a log: one line for each thing that happened, and how far it is now and then. */
export function linesDisplay({ deps, out }: { deps: Pick<CliDeps, 'now'>; out: Output }): Display {
  let lastLineAt = deps.now();
  let saidSilent = false;
  let now: RolloutView | null = null;
  // The first entries of a journal may come before it is known what they are about.
  const early: string[] = [];
  const say = (at: number, what: string, text: string): void => {
    const line = `${timeOfDay(at)}  ${what.padEnd(WHAT)}  ${text.replaceAll('\n', `\n${' '.repeat(INDENT)}`)}`;
    if (now === null) early.push(line);
    else out.line(line);
    lastLineAt = deps.now();
  };
  // The controller says nothing while nothing changes; whoever reads the log must see that it goes on.
  const timer = setInterval(() => {
    if (now === null || saidSilent || now.end !== null) return;
    if (deps.now() - lastLineAt >= (now.phase === 'watching' ? WINDOW_EVERY : PROGRESS_EVERY))
      say(deps.now(), now.phase, progress(now, deps.now()));
  }, LOOK_EVERY);
  const introduce = (rollout: RolloutView): void => {
    if (now === null)
      out.line(`${rollout.environment}: ${newReleases(rollout)}, rollout ${rollout.id}`, ...early.splice(0));
    now = rollout;
  };
  return {
    event(event, { rollout, output }) {
      if (rollout !== null) introduce(rollout);
      if (event.type === 'journal') say(event.entry.at, event.entry.to, newIn(event.entry.reason, output));
      else if (event.type === 'output') say(deps.now(), event.service, `| ${printable(event.line)}`);
    },
    silent(ms) {
      if (ms >= SILENCE_AFTER && !saidSilent) {
        say(
          deps.now(),
          'waiting',
          `the controller has not answered for ${formatDuration(ms)}; the rollout stays as it is`,
        );
        saidSilent = true;
      } else if (ms === 0 && saidSilent) {
        say(deps.now(), 'back', 'the controller answers again');
        saidSilent = false;
      }
    },
    end() {
      clearInterval(timer);
      out.line(...early.splice(0));
    },
  };
}

/** A reason without the last lines of a job that stand above it already. */
function newIn(reason: string, output: FollowState['output']): string {
  const [head = '', ...tail] = reason.split('\n');
  const told = tail.length > 0 && tail.every((line) => output.some((each) => each.line.trim() === line.trim()));
  return told ? head.replace(/; its last lines:$/, '') : reason;
}

/** `10 % of sessions, step 1 of 2, 6m 48s left; api: 105 canary requests seen ...; errors 0.2 % (...)` */
export function progress(rollout: RolloutView, now: number): string {
  const { canary, phase, nextAt, services } = rollout;
  if (phase !== 'canary' && phase !== 'watching') return rollout.reason;
  const left = nextAt === null ? '' : `, ${formatTimeLeft(nextAt - now)} left`;
  const where =
    phase === 'watching'
      ? `rollback window${left}`
      : `${formatPercent(canary.weight)} of ${canary.of ?? 'sessions'}, step ${Math.min(canary.step + 1, canary.steps.length)} of ${canary.steps.length}${left}`;
  const judged = services.flatMap(({ service, verdict }) => {
    if (verdict === null) return [];
    const numbers = metricsLine(verdict);
    return [`${service}: ${requestsLine(verdict)}${numbers === '' ? '' : `; ${numbers}`}`];
  });
  return [where, ...judged].join('; ');
}
