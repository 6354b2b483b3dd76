/**
 * An error as users and programs meet it: a stable code, what happened, where, why, and what to do next. Messages never
 * hold secrets. `retryable` says whether trying the same again can help; `exit` is the CLI's exit code for it.
 */
export class EvenkeelError extends Error {
  readonly code: string;
  readonly where: string | null;
  readonly why: string | null;
  readonly next: string | null;
  readonly retryable: boolean;
  /** From when on the same may be tried again, ms; null: nobody knows. */
  readonly retryAfterMs: number | null;
  readonly exit: 1 | 2 | 3;

  constructor(details: {
    code: string;
    /** One sentence: what happened. */
    what: string;
    where?: string;
    why?: string;
    /** The next command to type or thing to change. */
    next?: string;
    retryable?: boolean;
    retryAfterMs?: number;
    exit?: 1 | 2 | 3;
    cause?: unknown;
  }) {
    super(details.what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'EvenkeelError';
    this.code = details.code;
    this.where = details.where ?? null;
    this.why = details.why ?? null;
    this.next = details.next ?? null;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.exit = details.exit ?? 1;
  }
}

/** The same error in other words, or with another exit code; it stays known as the cause. */
export function changedError(
  error: EvenkeelError,
  change: { what?: string; why?: string | null; next?: string | null; exit?: 1 | 2 | 3 },
): EvenkeelError {
  const { code, message, where, retryable, retryAfterMs } = error;
  const { what = message, why = error.why, next = error.next, exit = error.exit } = change;
  return new EvenkeelError({
    code,
    what,
    ...(where === null ? {} : { where }),
    ...(why === null ? {} : { why }),
    ...(next === null ? {} : { next }),
    retryable,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    exit,
    cause: error,
  });
}

/** What happened and why, in one line: for a log, or as the reason of something that failed by it. */
export function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof EvenkeelError && error.why !== null ? `${error.message} (${error.why})` : error.message;
}
