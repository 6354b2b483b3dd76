/** Stands for wherever the dashboard is. */
const HERE = 'http://dashboard.invalid';

/**
 * Where one wanted to go before one had to sign in. Only pages of the dashboard count: an address of elsewhere that somebody
 * put into a link leads to the overview.
 */
export function safeNext(wanted: unknown): string {
  if (typeof wanted !== 'string' || !/^\/(?![/\\])/.test(wanted)) return '/';
  // Browsers take tabs and line breaks out of an address, which could then begin otherwise.
  // oxlint-disable-next-line no-control-regex -- these are what is to be found
  if (/[\u0000-\u001f\\]/.test(wanted)) return '/';
  const { origin, pathname, search, hash } = new URL(wanted, HERE);
  // Once `..` is worked out, what is left may begin with two slashes.
  if (origin !== HERE || /^\/(\/|(api|sign-in)(\/|$))/.test(pathname)) return '/';
  return pathname + search + hash;
}

const KEY = 'evenkeel-next';

/** Over a sign-in elsewhere, from where one comes back to the overview. */
export const keepNext = (next: string): void => sessionStorage.setItem(KEY, next);

export function takeNext(): string | null {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  const next = safeNext(kept);
  return next === '/' ? null : next;
}
