import { normalLogin } from '../../domain/access/passwords.ts';
import { type Limit, LIMIT_OF_ADDRESS, LIMIT_OF_NAME } from '../../domain/access/sign-in-limits.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { AccessDeps, Caller } from './deps.ts';

/** An IPv6 address is one of as many as its owner likes: what they were given is the first half. */
export function addressKey(address: string): string {
  if (!address.includes(':') || address.includes('.')) return `address:${address}`;
  const [before = '', after] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros =
    after === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  const network = [...head, ...zeros, ...tail].slice(0, 4).map((part) => part.replace(/^0+(?=.)/, ''));
  return `address:${network.join(':')}::/64`;
}

/**
 * Counts a try for what is tried (a name, or the second factor of a user) and where it comes from; the answer is told
 * when it succeeded. Throws `sign-in-limited` (retryable) when one of them has to wait: nothing is looked at then, so
 * the wait says nothing about a password.
 */
export async function countTry(
  { store, clock }: Pick<AccessDeps, 'store' | 'clock'>,
  what: { login: string } | { secondFactorOf: string },
  { address }: Caller,
): Promise<{ succeeded(): Promise<void> }> {
  const forget = 'login' in what ? `name:${normalLogin(what.login).slice(0, 200)}` : `code:${what.secondFactorOf}`;
  const takeOff = address === null ? [] : [addressKey(address)];
  const keys: { key: string; limit: Limit }[] = [
    { key: forget, limit: LIMIT_OF_NAME },
    ...takeOff.map((key) => ({ key, limit: LIMIT_OF_ADDRESS })),
  ];
  const tried = await store.beginAttempt(keys, clock.now());
  if (!tried.allowed) throw limited(tried.waitMs, tried.key === forget);
  return { succeeded: () => store.attemptSucceeded({ forget, takeOff }) };
}

/**
 * The same for what has no name: counts by where it comes from alone. Not what comes from this machine: that is a proxy,
 * which stands for everybody, and one stranger would keep all others out.
 */
export async function countAddress(
  { store, clock }: Pick<AccessDeps, 'store' | 'clock'>,
  { address }: Caller,
): Promise<{ succeeded(): Promise<void> }> {
  if (address === null || /^(::ffff:)?127\.|^::1$/.test(address)) return { succeeded: () => Promise.resolve() };
  const key = addressKey(address);
  const tried = await store.beginAttempt([{ key, limit: LIMIT_OF_ADDRESS }], clock.now());
  if (!tried.allowed) throw limited(tried.waitMs, false);
  return { succeeded: () => store.attemptSucceeded({ forget: '', takeOff: [key] }) };
}

function limited(waitMs: number, ofName: boolean): EvenkeelError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new EvenkeelError({
    code: 'sign-in-limited',
    what: 'There were too many tries to sign in.',
    why: ofName ? 'Several in a row with this name failed.' : 'Many from this address failed.',
    next: `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    retryable: true,
    retryAfterMs: waitMs,
    exit: 2,
  });
}
