import type { Admits, RoleRule } from './elsewhere.ts';
import { loginSchema } from './people.ts';

/** What an issuer says of somebody. */
export type Claims = Readonly<Record<string, unknown>>;

/** How claims are read; part of what is known of every issuer. */
export interface Reading {
  readonly login: string;
  readonly trustsEmails: boolean;
}

/**
 * The claim of that name, which may be an address with dots in it; else the way to it: `realm_access.roles`. Undefined:
 * there is none. Only what the claims hold themselves is found, whatever the way is called.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

/** The rules that fit. */
export const grantedBy = (claims: Claims, rules: readonly RoleRule[]): RoleRule[] =>
  rules.filter(({ when }) => when === null || holds(claimAt(claims, when.claim), when.value));

/** A list holds each of its texts; one text is one value, whatever spaces are in it. */
function holds(claim: unknown, value: string): boolean {
  if (Array.isArray(claim)) return claim.some((each) => typeof each === 'string' && each === value);
  if (typeof claim === 'boolean' || typeof claim === 'number') return String(claim) === value;
  return claim === value;
}

/**
 * The sign-in name that the claims give; null when they give none that can be one. An address of which nobody says that it
 * is theirs is none: with some issuers everybody writes what they like there.
 */
export function loginIn(claims: Claims, { login, trustsEmails }: Reading): string | null {
  if (login === 'email') return emailIn(claims, trustsEmails);
  const { success, data } = loginSchema.safeParse(claimAt(claims, login));
  return success ? data : null;
}

/** The address, in small letters; null when there is none, it is none, or is not verified. */
export function emailIn(claims: Claims, trusted: boolean): string | null {
  const { email, email_verified: verified } = claims;
  // Letters that only look like others have names of their own, and are nobody's whom an operator listed.
  if (typeof email !== 'string' || email.length > 200 || !/^[!-?A-~]+@[a-z0-9.-]+$/i.test(email)) return null;
  return trusted || verified === true || verified === 'true' ? email.toLowerCase() : null;
}

/** Whether an address is given that is there but not verified: worth saying to whoever is turned away. */
export const isUnverified = (claims: Claims, trusted: boolean): boolean =>
  emailIn(claims, true) !== null && emailIn(claims, trusted) === null;

/** `ann@example.com`, or `@example.com` for everybody there (and not in domains below it). */
export function isListed(email: string, listed: readonly string[]): boolean {
  const domain = email.slice(email.lastIndexOf('@'));
  return listed.some((each) => each === email || each === domain);
}

/** What there is of a user by the name that somebody's account has. */
export interface Namesake {
  /** Has signed in before, or can by other means: a password, a second factor, a token, another account of this issuer. */
  readonly arrived: boolean;
}

export type Admission =
  | { readonly as: 'namesake' }
  | { readonly as: 'newcomer' }
  | { readonly as: 'nobody'; readonly code: 'sign-in-refused' | 'email-unverified'; readonly why: string };

/**
 * What becomes of an account that no user has linked. One whose user has arrived is never taken for theirs by its name: an
 * address changes its owner, and a second factor would be walked around.
 */
export function admit(
  admits: Admits,
  { login, email, unverified }: { login: string | null; email: string | null; unverified: boolean },
  namesake: Namesake | null,
): Admission {
  const nobody = (why: string, code: 'sign-in-refused' | 'email-unverified' = 'sign-in-refused'): Admission => ({
    as: 'nobody',
    code,
    why,
  });
  if (admits === 'linked')
    return nobody('Nobody here has linked this account, and here only linked accounts are let in.');
  if (login === null)
    return unverified
      ? nobody('The issuer does not say that the e-mail address was verified.', 'email-unverified')
      : nobody('The issuer does not tell a name that can be a sign-in name.');
  if (namesake !== null)
    return namesake.arrived
      ? nobody('There is a user of that name already. They link this account once they have signed in otherwise.')
      : { as: 'namesake' };
  if (admits === 'invited') return nobody('Nobody of that name was invited.');
  if (email === null)
    return unverified
      ? nobody('The issuer does not say that the e-mail address was verified.', 'email-unverified')
      : nobody('The issuer does not tell an e-mail address.');
  return isListed(email, admits.emails) ? { as: 'newcomer' } : nobody('The e-mail address is not one of those let in.');
}
