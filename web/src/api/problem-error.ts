import type { Problem } from '../../../src/api/contract/problem.ts';

/** What the controller refused or could not do, or that it could not be asked at all (code `unreachable`). */
export class ProblemError extends Error {
  readonly code: string;
  /** 0: there was no answer. */
  readonly status: number;
  readonly where: string | null;
  readonly why: string | null;
  readonly next: string | null;
  readonly retryable: boolean;

  constructor(
    problem: Pick<Problem, 'code' | 'title' | 'status' | 'where' | 'next' | 'retryable'> & { why: string | null },
  ) {
    super(problem.title);
    this.name = 'ProblemError';
    this.code = problem.code;
    this.status = problem.status;
    this.where = problem.where;
    this.why = problem.why;
    this.next = problem.next;
    this.retryable = problem.retryable;
  }
}

/** Anything that was thrown, as something that can be shown. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return new ProblemError({
    code: 'unexpected',
    title: 'something unexpected happened in the dashboard',
    status: 0,
    where: null,
    why: error instanceof Error ? error.message : String(error),
    next: 'load the page again; if it happens again, the console of the browser tells more',
    retryable: false,
  });
}

export function unreachable(why: string): ProblemError {
  return new ProblemError({
    code: 'unreachable',
    title: 'the controller does not answer',
    status: 0,
    where: null,
    why,
    next: 'evenkeel server status, on the machine where it runs; what it has started goes on without it',
    retryable: true,
  });
}

/** Of a reply that is an error; what is not from evenkeel (a proxy's page, say) is told as such. */
export async function problemIn(reply: Response): Promise<ProblemError> {
  const text = await reply.text().catch(() => '');
  const said = parse(text);
  if (said === null)
    return new ProblemError({
      code: 'unexpected-reply',
      title: `the reply was ${reply.status} ${reply.statusText}`.trim(),
      status: reply.status,
      where: null,
      why: text.slice(0, 200) || null,
      next: null,
      retryable: reply.status >= 500,
    });
  return new ProblemError({ ...said, why: said.detail ?? null });
}

function parse(text: string): Problem | null {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null;
    return typeof value?.code === 'string' && typeof value.title === 'string'
      ? { ...(value as Problem), where: value.where ?? null, next: value.next ?? null }
      : null;
  } catch {
    return null;
  }
}
