import { changedError, type EvenkeelError } from '../../../ports/errors.ts';

/** The same error, of something that may have been done in part. */
export const withExit2 = (error: EvenkeelError): EvenkeelError =>
  error.exit === 1 ? changedError(error, { exit: 2 }) : error;
