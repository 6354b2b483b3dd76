import type { LogLine } from '../api/contract/logs.ts';
import type { Output } from './output.ts';
import { printable } from './screen/text.ts';
import { timeOfDay } from './screen/time.ts';

/** What was written just now has its time a moment later. */
const NO_TIME = ' '.repeat('00:00:00 '.length);

/** Makes a line of text of a line of a log; each instance has a colour of its own, in the order of their coming. */
export function logPrinter({ style, terminal }: Output): (line: LogLine) => string {
  const colors = [style.cyan, style.green, style.yellow, style.magenta, style.blue];
  const painters = new Map<string, (text: string) => string>();
  let width = 0;
  return ({ at, service, release, instance, line }) => {
    const name = nameOf({ service, release, instance });
    const painter = painters.get(name) ?? colors[painters.size % colors.length] ?? style.cyan;
    painters.set(name, painter);
    width = Math.max(width, name.length);
    const text = outputText(line, terminal);
    return `${at === null ? NO_TIME : `${style.dim(timeOfDay(at))} `}${painter(name.padEnd(width))} ${style.dim('|')} ${text}`;
  };
}

/**
 * `api@42 #1`, the first copy of a release, and `api@42 #1 restart 2`, the same after it ended twice. The id itself,
 * `chat.development.api@42.0.2`, is long, and its end looks like a version.
 */
function nameOf({ service, release, instance }: Pick<LogLine, 'service' | 'release' | 'instance'>): string {
  if (instance === null) return release ?? service;
  if (RUN.test(instance)) return release ?? service;
  const [, job, again] = JOB.exec(instance) ?? [];
  if (job !== undefined) return `${release ?? service} ${job}${again === undefined ? '' : ` again ${again}`}`;
  const [, name, index, generation] = /([^.]+@\d+)\.(\d+)\.(\d+)$/.exec(instance) ?? [];
  if (name === undefined) return instance.slice(Math.max(0, instance.indexOf(`${service}@`)));
  return `${name} #${Number(index) + 1}${generation === '0' ? '' : ` restart ${generation}`}`;
}

/** `ROLLOUT.build.api`, or `ROLLOUT.migrate.api.2` when it is run again. */
const JOB = /^[^.]+\.(build|migrate|smoke|check)\.[^.]+(?:\.(\d+))?$/;

/** `PROJECT.ENVIRONMENT.tidy.run.1767236400000`. */
const RUN = /\.run\.\d+$/;

// oxlint-disable-next-line no-control-regex
const COLOUR = /(\u001b\[[0-9;]*m)/;

/** A program's own colours are welcome on a terminal; nothing else of what it writes may steer it. */
export const outputText = (line: string, terminal: boolean): string =>
  terminal ? withoutSteering(line) : printable(line);

function withoutSteering(line: string): string {
  const parts = line.split(COLOUR);
  return parts.length === 1
    ? printable(line)
    : `${parts.map((part, index) => (index % 2 === 1 ? part : printable(part))).join('')}\u001b[0m`;
}
