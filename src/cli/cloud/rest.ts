import { EvenkeelError } from '../../ports/errors.ts';
import { plural } from '../../lib/format.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { openDesk } from './open-desk.ts';
import { keptUp } from './kept-up.ts';
import { confirmed, leftUndone, openQuestions } from './questions.ts';
import { followed } from './setup.ts';
import { listLines } from './show-look.ts';
import { showResult } from './show-result.ts';

export const start = (context: Context, input: Input): Promise<ExitCode> => rest(context, input, true);
export const stop = (context: Context, input: Input): Promise<ExitCode> => rest(context, input, false);

/** Puts to rest what costs while nobody uses it, or wakes it. */
async function rest(context: Context, input: Input, running: boolean): Promise<ExitCode> {
  const { out, interrupt, environment } = context;
  const desk = await openDesk(context, input);
  const { document, already, production, run } = await desk.rest(running, interrupt.signal);
  const asked = input.list('resources');
  const known = [...document.resources, ...already];
  const meant = new Set(asked.map((name) => named(known, name).address));
  const chosen = document.resources.filter(({ address }) => asked.length === 0 || meant.has(address));
  const verb = running ? 'start' : 'stop';
  if (chosen.length > 0 && !running) {
    out.line(...listLines(chosen, out, context.deps.now()));
    if (production)
      await confirm(
        context,
        `Stop ${plural(chosen.length, 'resource')} of ${environment}? Nobody is served until they are started.`,
      );
  }
  const addresses = chosen.map(({ address }) => address);
  const result = await followed(context, (onEvent, signal) => run(addresses, onEvent, signal));
  return showResult(result, out, {
    nothing: `${asked.length === 0 ? 'Everything that can rest' : [...meant].join(', ')} ${stateWord(running, asked.length)} already.`,
    again: desk.hint(['evenkeel cloud', verb, ...asked].join(' ')),
  });
}

const stateWord = (running: boolean, named: number): string =>
  named > 1 ? (running ? 'run' : 'rest') : running ? 'runs' : 'rests';

export async function remove(context: Context, input: Input): Promise<ExitCode> {
  const { out, interrupt, environment, globals } = context;
  const desk = await openDesk(context, input);
  const options = { all: true, apis: false, typed: globals.environment };
  const prepared = await desk.cleanup(options, interrupt.signal);
  const item = named(prepared.document.items, input.text('resource') ?? '');
  out.line(`${item.address}: ${item.description}${item.takes.length === 0 ? '' : `, with ${item.takes.join(', ')}`}`);
  const first = await keptUp(context, { ...prepared.document, items: [item] });
  if (first !== null) out.prose(out.style.yellow(first), 2);
  if (!item.own) out.prose(out.style.yellow(`${item.why} in ${environment}.`), 2);
  const asked = prepared.questions('all', item.address);
  const foreign = { ask: 'phrase' as const, phrase: item.name, question: `Type its name, ${item.name}, to delete it` };
  const wanted = asked.length === 0 && !item.own ? [foreign] : asked;
  const questions = openQuestions(context);
  try {
    for (const question of wanted) if (!(await confirmed(questions, prepared, question))) throw leftUndone();
  } finally {
    questions.close();
  }
  if (wanted.length === 0) await confirm(context, `Delete ${item.address} for good?`);
  const result = await followed(context, (onEvent, signal) => prepared.run([item.address], onEvent, signal));
  return showResult(result, out, {
    nothing: 'It is gone already.',
    again: desk.hint(`evenkeel cloud delete ${item.address}`),
  });
}

/** By its address, or by its name where only one has it. Throws `resource-unknown`. */
function named<Item extends { address: string; name: string }>(items: readonly Item[], asked: string): Item {
  const found = items.filter(({ address, name }) => address === asked || name === asked);
  const [first, ...more] = found;
  if (first !== undefined && more.length === 0) return first;
  const meant = suggest(
    asked,
    items.flatMap(({ address, name }) => [address, name]),
  );
  throw new EvenkeelError({
    code: first === undefined ? 'resource-unknown' : 'resource-ambiguous',
    what: first === undefined ? `there is no resource ${asked}` : `several resources are called ${asked}`,
    next:
      first === undefined
        ? meant === null
          ? 'evenkeel cloud list'
          : `did you mean ${meant}? \`evenkeel cloud list\` shows all`
        : `say which: ${found.map(({ address }) => address).join(', ')}`,
  });
}
