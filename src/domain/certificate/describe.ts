import { formatDuration, plural } from '../../lib/format.ts';
import { daysLeft, inDays } from '../traffic/tls.ts';

export type CertificateState = 'valid' | 'ordering' | 'waiting' | 'failing';

export interface CertificateWords {
  state: CertificateState;
  /** One sentence. */
  detail: string;
  /** What to do; null: nothing. */
  next: string | null;
}

/** What is to be said about a certificate that evenkeel gets and renews. Times are wall time, ms. */
export function describeCertificate(seen: {
  host: string;
  installed: { notAfter: number } | null;
  failures: number;
  lastFailure: { why: string; next: string | null } | null;
  /** It is being got now. */
  ordering: boolean;
  /** What was decided last, and until when. */
  reason: string;
  wakeAt: number;
  now: number;
}): CertificateWords {
  const { host, installed, failures, lastFailure, ordering, reason, now } = seen;
  const works = installed !== null && installed.notAfter > now;
  if (lastFailure !== null) {
    const what = works
      ? `the certificate for ${host} could not be renewed yet and ends in ${inDays(daysLeft(installed.notAfter, now))}`
      : `there is no certificate for ${host} yet`;
    const isNow = ordering || seen.wakeAt <= now;
    const when = `it is tried again ${isNow ? 'now' : `in ${formatDuration(seen.wakeAt - now)}`}`;
    return {
      state: 'failing',
      detail: `${what} (${plural(failures, 'try', 'tries')} failed): ${lastFailure.why}; ${when}`,
      next: lastFailure.next,
    };
  }
  if (ordering) return { state: 'ordering', detail: `a certificate for ${host} is being got: ${reason}`, next: null };
  if (works) return { state: 'valid', detail: `the certificate for ${host} is there; ${reason}`, next: null };
  return { state: 'waiting', detail: `no certificate for ${host} yet: ${reason}`, next: null };
}
