/** What a check found, and how to mend it. */
export interface Finding {
  /** A stable name, such as `disk` or `permissions`. */
  check: string;
  level: 'ok' | 'warning' | 'problem';
  /** One sentence. */
  what: string;
  /** The next thing to do or command to type; null when there is nothing to do. */
  next: string | null;
}

export const ok = (check: string, what: string): Finding => ({ check, level: 'ok', what, next: null });
export const warning = (check: string, what: string, next: string): Finding => ({
  check,
  level: 'warning',
  what,
  next,
});
export const problem = (check: string, what: string, next: string): Finding => ({
  check,
  level: 'problem',
  what,
  next,
});
