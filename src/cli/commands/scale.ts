import type { ScaleView } from '../../api/contract/scale.ts';
import { plural } from '../../lib/format.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';
import { dateAndTime } from '../screen/time.ts';

export const scale: CommandSpec = {
  name: 'scale',
  summary: 'how many instances a service has',
  description:
    'A number, or MIN..MAX to follow the load in between; without either it says how many there are and why. What is set holds, over deploys too, until the file says something else of `instances` than it does now, or `--reset`. Instances that are taken away finish their requests.',
  arguments: [
    { usage: '<service>', description: 'which' },
    { usage: '[instances]', description: 'such as 3, or 2..8' },
  ],
  options: [{ flags: '--reset', description: 'as the file says again' }],
  examples: [
    { command: 'evenkeel scale api 4', means: 'four instances, whatever the load' },
    { command: 'evenkeel scale api 2..8', means: 'between two and eight, by load' },
    { command: 'evenkeel scale api', means: 'how many, and why' },
  ],
  run,
};

async function run(context: Context, input: Input): Promise<void> {
  const scope = await context.scope();
  const service = input.text('service') ?? '';
  const text = input.text('instances');
  const reset = input.flag('reset');
  if (reset && text !== null) throw usage('--reset and a number contradict each other');
  const bounds = text === null ? null : parseBounds(text);
  const client = await context.client();
  const asks = reset || bounds !== null;
  const seen = asks
    ? await client.setScale({ ...scope, service, bounds })
    : await client.getScale({ ...scope, service });
  show(context, seen, asks);
}

/** `3`, or `2..8`. Throws `usage`. */
function parseBounds(text: string): { min: number; max: number } {
  const [, low = '', high = low] = /^(\d{1,3})(?:\.\.(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const [min, max] = [Number(low), Number(high)];
  if (low === '') throw usage(`${text} is neither a number nor MIN..MAX`);
  if (min < 1 || max > 100) throw usage('a service has 1 to 100 instances', 'evenkeel down stops everything');
  if (min > max) throw usage(`${text}: the first number is above the second`);
  return { min, max };
}

const usage = (what: string, next = 'evenkeel scale SERVICE 3, or evenkeel scale SERVICE 2..8'): EvenkeelError =>
  new EvenkeelError({ code: 'usage', what, next });

const inWords = ({ min, max }: { min: number; max: number }): string => (min === max ? `${min}` : `${min} to ${max}`);

function show({ out }: Context, seen: ScaleView, asked: boolean): void {
  const { service, instances, bounds, file, setBy, changes } = seen;
  const moves = bounds.min === bounds.max ? '' : `, of ${inWords(bounds)}`;
  const by = setBy === null ? 'as the file says' : `set by ${setBy}; the file says ${inWords(file)}`;
  out.line(`${service}: ${plural(instances, 'instance')}${moves} (${by})`);
  if (asked && setBy !== null)
    out.line(
      out.style.dim(`  It holds until \`instances\` in the file changes; evenkeel scale ${service} --reset ends it.`),
    );
  if (!asked)
    for (const { at, from, to, reason } of changes.slice(0, 10))
      out.line(`  ${out.style.dim(dateAndTime(at))}  ${from === null ? to : `${from} -> ${to}`}  ${reason}`);
  out.data(seen);
}
