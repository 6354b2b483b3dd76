/** How long a session lives. */
export interface SessionRule {
  /** Without a request, ms. */
  readonly idleMs: number;
  /** Whatever happens, ms. */
  readonly absoluteMs: number;
}

export const SESSION_RULE: SessionRule = { idleMs: 24 * 3_600_000, absoluteMs: 14 * 24 * 3_600_000 };

/** Between the password and the code of the second factor. */
export const PENDING_MS = 5 * 60_000;

/** How exact `seenAt` is, ms: not every request is worth a write. */
export const SEEN_EVERY_MS = 60_000;

export interface SessionTimes {
  readonly seenAt: number;
  /** Its absolute end. */
  readonly expiresAt: number;
}

export const sessionEnd = ({ seenAt, expiresAt }: SessionTimes, { idleMs }: SessionRule): number =>
  Math.min(expiresAt, seenAt + idleMs);

export const isOver = (session: SessionTimes, rule: SessionRule, now: number): boolean =>
  now >= sessionEnd(session, rule);
