import { formatDuration } from '../../lib/format.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A certificate of 90 days is renewed 30 days before its end, a shorter one when two thirds of its life are over. */
const BEFORE_END = 30 * DAY;
/** Of the time that is left then: not everybody's certificates on the hour, and none of ours together. */
const JITTER = 0.1;
/** After so many failures in a row, wait so long. The first hour holds four tries; issuers allow five. */
const BACKOFF = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];
/** Nobody waits for days with a certificate that is missing or about to end. */
const BACKOFF_URGENT = HOUR;
/** Orders of one host, and of all hosts at one issuer, within an hour. */
export const HOST_ORDERS_PER_HOUR = 4;
export const DIRECTORY_ORDERS_PER_HOUR = 40;
/** A certificate that is due as soon as it is issued shows a clock that is wrong, here or there. */
const SHORTEST_USE = DAY;
/** What an issuer asks for beyond this is not believed. */
const LONGEST_RETRY_AFTER = 7 * DAY;
const LOOK_AGAIN = 2_000;

/** What is known of one certificate when it is looked at. Times are wall time, ms. */
export interface CertificateFacts {
  now: number;
  /** What is there and works; null: none. */
  installed: { notBefore: number; notAfter: number } | null;
  /** An order was begun and its end is not known. */
  ordered: boolean;
  /** When orders were begun, of this host and of all at the issuer. */
  orders: readonly number[];
  directoryOrders: readonly number[];
  /** When the last one was issued. */
  issuedAt: number | null;
  /** In a row, and the last of them. */
  failures: number;
  failedAt: number | null;
  /** Until when the issuer wants to be left alone. */
  retryAfter: number | null;
  /** When somebody last brought the environment up: they may have mended what was wrong. */
  askedAt: number | null;
  /** Why the issuer could not be answered now, or null. */
  unreachable: string | null;
  /** 0..1, the same at every look at this certificate. */
  chance: number;
}

export interface CertificateDecision {
  /** `resume` goes on with the order that was begun. */
  act: 'order' | 'resume' | 'wait';
  reason: string;
  /** When to look again, if nothing changes; later than `now` for `wait`. */
  wakeAt: number;
}

/** From when a certificate is to be renewed. */
export function renewalAt({ notBefore, notAfter }: { notBefore: number; notAfter: number }, chance: number): number {
  const left = Math.min(BEFORE_END, Math.max(0, notAfter - notBefore) / 3);
  return notAfter - left * (1 + JITTER * chance);
}

/** What to do about one certificate now. Pure. */
export function decideCertificate(facts: CertificateFacts): CertificateDecision {
  const { now, installed, ordered } = facts;
  const due = installed === null ? null : Math.max(renewalAt(installed, facts.chance), usedUntil(installed, facts));
  if (due !== null && due > now && !ordered)
    return { act: 'wait', reason: `it is renewed in ${formatDuration(due - now)}`, wakeAt: due };
  if (facts.unreachable !== null) return { act: 'wait', reason: facts.unreachable, wakeAt: now + LOOK_AGAIN };
  const held = heldBack(facts);
  if (held !== null) return { act: 'wait', ...held };
  if (ordered) return { act: 'resume', reason: 'an order was begun before', wakeAt: now };
  const full = limited(facts);
  if (full !== null) return { act: 'wait', ...full };
  return { act: 'order', reason: installed === null ? 'there is none yet' : whyRenew(installed, now), wakeAt: now };
}

/** However wrong a clock is, one is used for some time before it is renewed. */
function usedUntil(installed: { notBefore: number; notAfter: number }, { issuedAt, now }: CertificateFacts): number {
  if (issuedAt === null || issuedAt > now) return now;
  return issuedAt + Math.min(SHORTEST_USE, Math.max(0, installed.notAfter - installed.notBefore) / 3);
}

function whyRenew({ notAfter }: { notAfter: number }, now: number): string {
  return notAfter <= now ? 'it has expired' : `it expires in ${formatDuration(notAfter - now)}`;
}

/** By the issuer, or by what failed before. A time that lies too far ahead was written before the clock was set back. */
function heldBack(facts: CertificateFacts): { reason: string; wakeAt: number } | null {
  const { now, retryAfter, failures, failedAt, askedAt } = facts;
  if (retryAfter !== null && retryAfter > now && retryAfter <= now + LONGEST_RETRY_AFTER)
    return { reason: `the issuer asks to be left alone for ${formatDuration(retryAfter - now)}`, wakeAt: retryAfter };
  if (failures === 0 || failedAt === null || failedAt > now) return null;
  if (askedAt !== null && askedAt > failedAt && askedAt <= now) return null;
  const until = failedAt + backoff(facts);
  if (until <= now) return null;
  return { reason: `it is tried again in ${formatDuration(until - now)}`, wakeAt: until };
}

function backoff({ failures, installed, now, chance }: CertificateFacts): number {
  const step = BACKOFF[Math.min(failures, BACKOFF.length) - 1] ?? MINUTE;
  const urgent = installed === null || installed.notAfter - now < 7 * DAY;
  return (urgent ? Math.min(step, BACKOFF_URGENT) : step) * (1 + JITTER * chance);
}

function limited({ now, orders, directoryOrders }: CertificateFacts): { reason: string; wakeAt: number } | null {
  const own = freeAt(orders, HOST_ORDERS_PER_HOUR, now);
  const all = freeAt(directoryOrders, DIRECTORY_ORDERS_PER_HOUR, now);
  const wakeAt = Math.max(own, all);
  if (wakeAt <= now) return null;
  const whose =
    own >= all ? `${HOST_ORDERS_PER_HOUR} orders for it` : `${DIRECTORY_ORDERS_PER_HOUR} orders of this issuer`;
  return { reason: `${whose} within an hour are the most; the next in ${formatDuration(wakeAt - now)}`, wakeAt };
}

/** When there is room for one more within an hour. */
function freeAt(orders: readonly number[], most: number, now: number): number {
  const recent = orders.filter((at) => at > now - HOUR && at < now + HOUR).toSorted((a, b) => a - b);
  const oldest = recent.at(-most);
  return oldest === undefined ? now : oldest + HOUR;
}
