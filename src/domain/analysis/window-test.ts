import { logMeanExp, RHOS } from './owner-test.ts';

/**
 * The window test: does the release break its limit, when nothing runs beside it to compare with?
 *
 * At 100 % every bad unit belongs to the new release, so the owner says nothing, and only the limit itself can be
 * tested: H0 is "at most `limit` of requests are bad". The limit speaks of requests, but requests of one session are
 * not independent (one broken account can fail a hundred times), so a count of bad requests cannot be tested as if
 * it were a count of coins. Two e-processes, each counting a session at most once, are averaged (a mean of
 * e-processes is one; it costs at most ln 2):
 *
 * 1. *Spread errors*: sessions that turned bad, against `limit` x requests. With B_i in {0, 1} and m_i requests,
 *    P(B_i) <= limit m_i under H0, and E[rho^B_i] e^(-(rho-1) limit m_i) <= e^((rho-1)(P(B_i) - limit m_i)) <= 1: exact for
 *    any session lengths, and at every request, if a session that was fine so far turns bad at its next request with
 *    probability at most `limit`. Strong when errors hit anyone, blind when they hit few sessions wholly.
 * 2. *Clustered errors*: the bad share of requests, scaled to as many trials as there are sessions, but never more
 *    than the sessions that turned bad, so that one client in a loop counts once. Strong when few sessions fail wholly.
 *    Valid for sessions of like length, for all-or-nothing sessions, and for errors that hit requests at random.
 *
 * Assumption: sessions are independent of one another. A common outage breaks it, and the test may then call the
 * release over its limit, because it was: with nothing beside it, nobody can tell whose fault that is.
 */
export interface WindowData {
  /** Requests and sessions since the release had all traffic. */
  readonly requests: number;
  readonly sessions: number;
  /** Bad requests among them. */
  readonly bad: number;
  /** Sessions with a bad request among them. */
  readonly badSessions: number;
}

/** ln E against `limit`, a share of requests in (0, 1). 0 (no evidence) when there is no data or no such limit. */
export function windowTest(data: WindowData, limit: number): number {
  const { requests, bad } = data;
  if (!(limit > 0 && limit < 1) || !(requests > 0)) return 0;
  const sessions = unitsOf(requests, data.sessions);
  const badSessions = Math.max(0, Math.min(data.badSessions, bad, sessions));
  const clustered = Math.min(badSessions, (Math.max(0, bad) * sessions) / requests);
  const logs: number[] = [];
  for (const rho of RHOS) {
    const gain = Math.log(rho);
    const cost = (rho - 1) * limit;
    logs.push(badSessions * gain - cost * requests, clustered * gain - cost * sessions);
  }
  return logMeanExp(logs);
}

/** How many independent units sent so many requests: sessions, of which there are no more than requests, and one if there are any. */
export function unitsOf(requests: number, sessions: number): number {
  return requests > 0 ? Math.max(1, Math.min(sessions, requests)) : 0;
}
