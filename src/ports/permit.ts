import { EvenkeelError } from './errors.ts';

/**
 * Asked at the very moment of an act, after everything that takes its time. Throws EvenkeelError `not-acting` when this
 * controller may not act, or not any more.
 */
export type Permit = () => void;

export const lateBy = (known: number, own: number): EvenkeelError =>
  notActing(`A controller with the fence ${known} acts by now, and this one has ${own}.`);

export function notActing(why: string): EvenkeelError {
  return new EvenkeelError({
    code: 'not-acting',
    what: 'This controller does not act; nothing was done.',
    why,
    next: 'Ask again: the controller that acts answers.',
    retryable: true,
    exit: 2,
  });
}
