import type { CloudEvent } from '../../api/contract/cloud/run.ts';
import { formatDuration } from '../../lib/format.ts';
import type { Context } from '../context.ts';
import { liveBlock } from '../screen/live-block.ts';
import type { Style } from '../screen/style.ts';
import { padEnd, printable } from '../screen/text.ts';
import { timeOfDay } from '../screen/time.ts';
import { usually, wordsOf } from './words.ts';

/** How changes in the cloud are shown while they go on. */
export interface Progress {
  event(event: CloudEvent): void;
  /** Leaves the terminal as it should be. Idempotent. */
  end(): void;
}

export function openProgress(context: Context): Progress {
  const { out } = context;
  if (out.json) return { event: (event) => out.data(event), end: () => {} };
  return out.terminal ? liveProgress(context) : plainProgress(context);
}

/** Of what is done sooner nobody needs to know that it was begun. */
const WORTH_TELLING_S = 60;

/** A line for each thing with its time, two when it takes long: for logs, and for those who cannot see a screen. */
function plainProgress({ out, deps }: Context): Progress {
  const slow = new Set<string>();
  return {
    event(event) {
      if (event.type === 'begun' && event.usually.toS > WORTH_TELLING_S) slow.add(event.address);
      if ((event.type === 'begun' || event.type === 'step') && !slow.has(event.address)) return;
      if (event.type === 'step' && event.doing === wordsOf(event).now) return;
      out.line(`${timeOfDay(deps.now())}  ${sentence(event, out.style)}`);
    },
    end: () => {},
  };
}

const FRAME_MS = 120;

interface Running {
  event: Extract<CloudEvent, { type: 'begun' }>;
  since: number;
  doing: string | null;
}

/** On a terminal: what is done stays above, what is under way turns below, with its time beside what is usual. */
function liveProgress({ out, deps, interrupt }: Context): Progress {
  const { style } = out;
  const block = liveBlock(deps.stdout);
  const running = new Map<string, Running>();
  let tick = 0;
  let open = true;
  const frame = (): string[] =>
    [...running.values()].map(({ event, since, doing }) => {
      const spinner = style.symbols.spinner[tick % style.symbols.spinner.length] ?? '';
      const time = formatDuration(Math.floor(Math.max(0, deps.now() - since) / 1000) * 1000);
      const words = doing === null ? '' : style.dim(` ${style.symbols.dot} ${printable(doing)}`);
      return `${style.cyan(spinner)} ${padEnd(wordsOf(event).now, 9)} ${event.address}${words} ${style.dim(`${time}, usually ${usually(event.usually)}`)}`;
    });
  const timer = setInterval(() => {
    tick++;
    block.draw(frame());
  }, FRAME_MS);
  const forget = interrupt.onQuit(() => block.end());
  return {
    event(event) {
      if (event.type === 'begun') running.set(event.address, { event, since: deps.now(), doing: null });
      else if (event.type === 'step') {
        const known = running.get(event.address);
        if (known !== undefined) known.doing = event.doing === wordsOf(event).now ? null : event.doing;
      } else {
        running.delete(event.address);
        block.draw([]);
        deps.stdout.write(`${sentence(event, style)}\n`);
      }
      block.draw(frame());
    },
    end() {
      if (!open) return;
      open = false;
      clearInterval(timer);
      block.draw([]);
      block.end();
      forget();
    },
  };
}

/** One line about what happened. */
function sentence(event: CloudEvent, style: Style): string {
  const { address } = event;
  const words = wordsOf(event);
  switch (event.type) {
    case 'begun':
      return `  ${padEnd(words.now, 9)} ${address} ${style.dim(`(usually ${usually(event.usually)})`)}`;
    case 'step':
      return `  ${padEnd(words.now, 9)} ${address}: ${printable(event.doing)}`;
    case 'done':
      return `${style.green(style.symbols.done)} ${padEnd(words.done, 9)} ${address} ${style.dim(`after ${formatDuration(event.ms)}`)}`;
    case 'failed':
      return `${style.red(style.symbols.failed)} ${padEnd('failed', 9)} ${address}: ${printable(event.problem.message)}`;
    case 'skipped':
      return `${style.yellow('-')} ${padEnd('skipped', 9)} ${address}, which needs ${event.because.join(', ')}`;
    case 'left':
      return `${style.yellow('-')} ${padEnd('left', 9)} ${address} after ${formatDuration(event.ms)}; the provider may still finish it`;
  }
}
