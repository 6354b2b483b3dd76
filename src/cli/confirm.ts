import { EvenkeelError } from '../ports/errors.ts';
import type { Context } from './context.ts';
import { Interrupted } from './interrupt.ts';
import { readLine } from './prompt.ts';

/**
 * Asks before something that people may regret. Returns when they agree, or said `--yes` before.
 * Throws `not-confirmed`, also when there is nobody to ask.
 */
export async function confirm({ deps, globals, interrupt }: Context, question: string): Promise<void> {
  if (globals.yes) return;
  const refused = (why: string): EvenkeelError =>
    new EvenkeelError({
      code: 'not-confirmed',
      what: 'nothing was done',
      why,
      next: 'say --yes to do it without being asked',
    });
  if (deps.stdin.isTTY !== true || deps.stderr.isTTY !== true || globals.json)
    throw refused('it needs a confirmation, and nobody can be asked here');
  deps.stderr.write(`${question} [y/N] `);
  const answer = await readLine(deps, interrupt);
  if (answer === null) throw new Interrupted();
  if (!/^y(es)?$/i.test(answer.trim())) throw refused('it was not confirmed');
}
