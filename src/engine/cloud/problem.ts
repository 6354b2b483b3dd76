import type { CloudProblem } from '../../ports/cloud.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/** Whatever a driver threw, as it is told at the end. */
export function problemOf(error: unknown): CloudProblem {
  if (error instanceof EvenkeelError)
    return {
      code: error.code,
      message: error.why === null ? error.message : `${error.message}: ${error.why}`,
      next: error.next,
      retryable: error.retryable,
    };
  return {
    code: 'unexpected',
    message: error instanceof Error ? error.message : String(error),
    next: 'set EVENKEEL_DEBUG=1 and try again: it shows where',
    retryable: false,
  };
}
