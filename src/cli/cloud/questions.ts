import { EvenkeelError } from '../../ports/errors.ts';
import type { Context } from '../context.ts';
import { interruptible } from '../interrupt.ts';
import type { Cleanup, Confirmation } from './desk.ts';

/** Asks several things in turn; what was typed ahead, or comes through a pipe, answers them in order. */
export interface Questions {
  /** A typed line, trimmed; null when the input has ended. Throws `Interrupted`. */
  ask(question: string): Promise<string | null>;
  close(): void;
}

export function openQuestions({ deps, interrupt }: Pick<Context, 'deps' | 'interrupt'>): Questions {
  let chunks: AsyncIterator<unknown> | null = null;
  let rest = '';
  let ended = false;
  const readLine = async (): Promise<string | null> => {
    chunks ??= deps.stdin[Symbol.asyncIterator]();
    for (;;) {
      const end = rest.indexOf('\n');
      if (end !== -1) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        return line;
      }
      if (ended) {
        const line = rest;
        rest = '';
        return line === '' ? null : line;
      }
      const next = await chunks.next();
      if (next.done === true) ended = true;
      else rest += String(next.value);
    }
  };
  return {
    async ask(question) {
      deps.stderr.write(`${question} `);
      const line = await interruptible(interrupt.signal, readLine());
      // Nobody pressed Enter: the next thing said begins a line of its own.
      if (deps.stdin.isTTY !== true || line === null) deps.stderr.write('\n');
      return line?.trim() ?? null;
    },
    close: () => void chunks?.return?.(),
  };
}

/**
 * Wants a phrase typed out, for what cannot be taken back. `--yes` does not answer it; a pipe may, since somebody wrote the
 * phrase into it. False when something else was typed. Throws `not-confirmed` when nothing was.
 */
export async function phraseTyped(questions: Questions, question: string, phrase: string): Promise<boolean> {
  const answer = await questions.ask(question);
  if (answer === null) throw nobodyAnswered(phrase);
  return answer === phrase;
}

export const nobodyAnswered = (phrase: string): EvenkeelError =>
  new EvenkeelError({
    code: 'not-confirmed',
    what: 'nothing was done',
    why: `it wants ${phrase} typed out, and nobody answered; --yes does not`,
    next: 'run it in a terminal, or write the answers into its standard input',
  });

export const leftUndone = (): EvenkeelError =>
  new EvenkeelError({ code: 'not-confirmed', what: 'nothing was done', why: 'it was not confirmed' });

/** Whether the answer to it agrees; nobody there to answer is no. */
export async function confirmed(
  questions: Questions,
  { isConfirmed }: Pick<Cleanup, 'isConfirmed'>,
  confirmation: Confirmation,
): Promise<boolean> {
  const mark = confirmation.ask === 'phrase' ? ':' : ' [y/N]';
  return isConfirmed(confirmation, await questions.ask(`${confirmation.question}${mark}`));
}
