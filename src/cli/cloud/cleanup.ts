import type { CloudCleanup } from '../../api/contract/cloud/cleanup.ts';
import { plural } from '../../lib/format.ts';
import type { Input } from '../command.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../deps.ts';
import { table } from '../screen/table.ts';
import type { Cleanup } from './desk.ts';
import { keptUp } from './kept-up.ts';
import { openDesk } from './open-desk.ts';
import { confirmed, leftUndone, nobodyAnswered, openQuestions, type Questions } from './questions.ts';
import { followed } from './setup.ts';
import { unknownLines } from './show-look.ts';
import { placeLine } from './show-plan.ts';
import { showResult } from './show-result.ts';

const PHRASE = 'DELETE ALL';

/** Shows what would go, with size and age, lets a person choose, and asks again for what holds data. */
export async function cleanup(context: Context, input: Input): Promise<ExitCode> {
  const { out, interrupt, environment, globals } = context;
  const [all, onlyList] = [input.flag('all'), input.flag('list')];
  const desk = await openDesk(context, input);
  const prepared = await desk.cleanup(
    // Looking deletes nothing.
    { all, apis: input.flag('apis'), typed: onlyList ? environment : globals.environment },
    interrupt.signal,
  );
  const { document } = prepared;
  show(context, document);
  const first = await keptUp(context, document);
  if (first !== null) out.remark(out.style.yellow(first));
  if (onlyList) {
    out.data(document);
    return 0;
  }
  const questions = openQuestions(context);
  try {
    const addresses = document.items.length === 0 ? [] : await choose(context, questions, prepared);
    for (const warning of prepared.warnings(addresses)) out.prose(out.style.yellow(`  ${warning}`), 2);
    const going = await keepProtected(context, questions, prepared, addresses);
    out.line('');
    const result = await followed(context, (onEvent, signal) => prepared.run(going, onEvent, signal));
    return showResult(result, out, {
      nothing: document.items.length === 0 ? 'There is nothing to delete.' : 'Nothing was deleted.',
      again: desk.hint(`evenkeel cloud cleanup${all ? ' --all' : ''}`),
    });
  } finally {
    questions.close();
  }
}

function show({ out }: Context, document: CloudCleanup): void {
  if (out.json) return;
  const { style } = out;
  out.line(placeLine(document, style), '');
  unknownLines(document.unknown, out);
  const numbers = new Map(document.items.map((item, index) => [item, String(index + 1)]));
  const lines = (items: CloudCleanup['items']): string[] =>
    table(
      [{ title: '', align: 'right' }, { title: 'resource' }, { title: 'what it is' }, { title: '' }],
      items.map((item) => [
        numbers.get(item) ?? '',
        item.address,
        item.description,
        item.takes.length === 0 ? '' : `with ${item.takes.join(', ')}`,
      ]),
      { style, columns: out.columns(), indent: 2 },
    );
  const own = document.items.filter((item) => item.own);
  const others = document.items.filter((item) => !item.own);
  if (own.length > 0) out.line(style.bold('This goes:'), ...lines(own), '');
  if (others.length > 0)
    out.line(style.red('So does this, which evenkeel did not make for this environment:'), ...lines(others), '');
  if (document.apart.length === 0) return;
  const rows = document.apart.map(({ address, description, reason, withAll }) => [
    address,
    description,
    `${reason}${withAll ? ' (--all takes it)' : ''}`,
  ]);
  const titles = ['resource', 'what it is', 'why it stays'].map((title) => ({ title }));
  out.line(style.dim('This stays:'), ...table(titles, rows, { style, columns: out.columns(), indent: 2 }), '');
}

/** All at once, one by one, or from a menu. */
async function choose({ out }: Context, questions: Questions, prepared: Cleanup): Promise<string[]> {
  const { items } = prepared.document;
  const all = items.map(({ address }) => address);
  const these = items.length === 1 ? 'it' : `these ${items.length}`;
  const answer = await questions.ask(
    `Type ${PHRASE} to delete ${these} for good, 1 to go through them one by one, 2 to choose from them:`,
  );
  if (answer === null) throw nobodyAnswered(PHRASE);
  if (answer === '1') return oneByOne(questions, prepared);
  if (answer === '2') return fromMenu(out.line, questions, prepared);
  const question = prepared.selectionQuestion('all', all);
  if (question === null || !prepared.isConfirmed(question, answer)) throw leftUndone();
  return all;
}

async function oneByOne(questions: Questions, prepared: Cleanup): Promise<string[]> {
  const chosen: string[] = [];
  for (const { address } of prepared.document.items) {
    const [first] = prepared.questions('one-by-one', address);
    if (first === undefined) continue;
    const answer = await questions.ask(`${first.question} [y/N/q]`);
    if (answer === null || /^q(uit)?$/i.test(answer)) break;
    if (prepared.isConfirmed(first, answer)) chosen.push(address);
  }
  return chosen;
}

async function fromMenu(line: (text: string) => void, questions: Questions, prepared: Cleanup): Promise<string[]> {
  const answer = await questions.ask('Which? Numbers such as 1,3-5, a kind, or an address; nothing deletes nothing:');
  const { picked, problems } = prepared.menu(answer ?? '');
  for (const problem of problems) line(problem);
  if (problems.length > 0) throw leftUndone();
  const question = prepared.selectionQuestion('menu', picked);
  if (question !== null && !(await confirmed(questions, prepared, question))) throw leftUndone();
  return picked;
}

/** Those that hold data and whose name was not typed out stay, and the others go. */
async function keepProtected(
  { out }: Context,
  questions: Questions,
  prepared: Cleanup,
  addresses: readonly string[],
): Promise<string[]> {
  const asked = addresses.filter((address) => prepared.questions('all', address).length > 0);
  if (asked.length > 0)
    out.line('', `${plural(asked.length, 'of these holds', 'of these hold')} data that nothing brings back.`);
  const kept = new Set<string>();
  for (const address of asked) {
    let agreed = true;
    for (const question of prepared.questions('all', address))
      agreed = agreed && (await confirmed(questions, prepared, question));
    if (agreed) continue;
    kept.add(address);
    out.line(`${address} stays.`);
  }
  return addresses.filter((address) => !kept.has(address));
}
