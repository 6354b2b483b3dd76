import { type Digest, GENESIS, hashOf } from './chain.ts';
import type { Anchor, AuditEntry } from './entry.ts';
import { readCheckpoint } from './retention.ts';

export type AuditFault = 'changed' | 'missing' | 'displaced' | 'rewritten';

/** What is wrong, at which entry, in a sentence. */
export interface AuditFinding {
  fault: AuditFault;
  /** The entry; of missing ones the first. */
  seq: number;
  what: string;
}

export interface Verification {
  /** How many were looked at. */
  entries: number;
  first: number | null;
  /** The last one; whoever notes it elsewhere can compare later. */
  head: Anchor | null;
  /** What the anchor outside of the database says. */
  anchor: Anchor | null;
  /** The first of them, in order. */
  findings: AuditFinding[];
  /** How many there are in all. */
  found: number;
}

/** Told of a chain of which nothing is right, too. */
const TOLD = 100;

/**
 * Looks through a chain, given entry by entry as the database has them in order of `seq`. The anchor, where there is one,
 * was written down outside of the database after the last append that is known of.
 */
export function verifier(digest: Digest, anchor: Anchor | null) {
  const findings: AuditFinding[] = [];
  const cuts = new Map<number, string>();
  let found = 0;
  let entries = 0;
  let first: AuditEntry | null = null;
  let last: AuditEntry | null = null;

  const find = (fault: AuditFault, seq: number, what: string): void => {
    found++;
    if (findings.length < TOLD) findings.push({ fault, seq, what });
  };

  function feed(entry: AuditEntry): void {
    entries++;
    first ??= entry;
    if (last === null) {
      if (entry.seq === 1 && entry.former !== GENESIS)
        find('displaced', 1, 'entry 1 is not the beginning that it says it is');
    } else follows(last, entry);
    if (hashOf(entry, digest) !== entry.hash) find('changed', entry.seq, `entry ${entry.seq} was changed`);
    if (entry.seq === anchor?.seq && entry.hash !== anchor.hash)
      find(
        'rewritten',
        entry.seq,
        `entry ${entry.seq} is another one than the anchor file says: it, or what is before it, was written anew`,
      );
    const cut = readCheckpoint(entry);
    if (cut !== null) cuts.set(cut.seq, cut.hash);
    last = entry;
  }

  function follows(before: AuditEntry, entry: AuditEntry): void {
    const gap = entry.seq - before.seq;
    if (gap > 1) find('missing', before.seq + 1, `${range(before.seq + 1, entry.seq - 1)} missing`);
    else if (gap < 1 || entry.former !== before.hash)
      find(
        'displaced',
        entry.seq,
        `entry ${entry.seq} does not follow entry ${before.seq}: one of them was changed, put there later or moved`,
      );
  }

  function end(): Verification {
    if (first !== null && first.seq > 1 && cuts.get(first.seq - 1) !== first.former)
      find('missing', 1, `${range(1, first.seq - 1)} missing, and no checkpoint says that they were too old`);
    const through = last?.seq ?? 0;
    if (anchor !== null && anchor.seq > through)
      find(
        'missing',
        through + 1,
        `${range(through + 1, anchor.seq)} missing at the end: the anchor file has seen them`,
      );
    const head = last === null ? null : { seq: last.seq, hash: last.hash };
    return { entries, first: first?.seq ?? null, head, anchor, findings, found };
  }

  return { feed, end };
}

const range = (from: number, to: number): string => (from === to ? `entry ${from} is` : `entries ${from} to ${to} are`);
