import { organizationsOf } from '../../domain/access/may.ts';
import type { Scope } from '../../domain/project/scope.ts';
import type { Engine } from '../../engine/engine.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Call, Sent } from '../call.ts';
import type { ChangeEvent } from '../contract/changes.ts';
import { differences, type Look, lookOf } from './differences.ts';
import { type Notice, NoticeRing } from './ring.ts';

/** Tells whoever follows that something has changed. */
export interface Changes {
  /** For what is not seen by looking at an environment, such as an entry of the audit. */
  tell(notice: Notice): void;
  /** Throws EvenkeelError `too-many-streams` (retryable). */
  follow(call: Follower): AsyncIterable<Sent<ChangeEvent>>;
  /** Grows with everything that is told. */
  readonly version: number;
  /** How many follow now. */
  readonly readers: number;
  close(): void;
}

type Follower = Pick<Call, 'may' | 'lastEventId' | 'signal' | 'cut'> & Partial<Pick<Call, 'who'>>;

export interface ChangesOptions {
  /** How many notices are remembered. */
  remembered?: number;
  heartbeatMs?: number;
  /** How long a reader may leave what it was given unread. */
  patienceMs?: number;
  mostReaders?: number;
}

interface Reader {
  wake: () => void;
  /** Since when it has had something that it does not read; null: it waits for more. */
  handedAt: number | null;
  /** Nothing was said for a while. */
  beat: boolean;
  cut: () => void;
}

/**
 * Follows all environments: each look of the engine is compared with the one before, once, and what differs is kept in one
 * ring that all readers read from. Nothing is asked of the store for it.
 */
export function openChanges(
  engine: Pick<Engine, 'onLook' | 'seen' | 'refusal' | 'reads' | 'deps'>,
  { remembered = 4_096, heartbeatMs = 5_000, patienceMs = 60_000, mostReaders = 1_000 }: ChangesOptions = {},
): Changes {
  // Another controller numbers its notices for itself.
  const epoch = engine.deps.newId();
  const ring = new NoticeRing(remembered);
  const looks = new Map<string, { seen: object; look: Look }>();
  const readers = new Set<Reader>();
  let storeAway = false;
  let closed = false;

  const tell = (notice: Notice): void => {
    ring.add(notice);
    for (const reader of readers) reader.wake();
  };

  const looked = (scope: Scope): void => {
    const away = engine.reads.awaySince() !== null;
    if (away !== storeAway) tell({ event: { type: 'server', storeAway: away }, permission: null, scope: null });
    storeAway = away;
    const key = `${scope.project}/${scope.environment}`;
    const before = looks.get(key);
    const seen = engine.seen(scope);
    // A look that came to nothing saw nothing new.
    if (seen === null || seen === before?.seen) return;
    const look = lookOf(seen, engine.refusal(scope));
    looks.set(key, { seen, look });
    for (const notice of differences(scope, before?.look ?? null, look)) tell(notice);
  };
  const off = engine.onLook(looked);

  const heart = setInterval(() => {
    const now = performance.now();
    for (const reader of readers) {
      if (reader.handedAt !== null && now - reader.handedAt > patienceMs) reader.cut();
      reader.beat = true;
      reader.wake();
    }
  }, heartbeatMs);
  heart.unref();

  /** Where a reader goes on, or why it has to begin anew. */
  function place(lastEventId: string | null): { seq: number; reset: 'begin' | 'other-controller' | 'too-old' | null } {
    if (lastEventId === null) return { seq: ring.last, reset: 'begin' };
    const [, of, number] = /^([^.]*)\.(\d{1,15})$/.exec(lastEventId) ?? [];
    if (of !== epoch) return { seq: ring.last, reset: 'other-controller' };
    const seq = Number(number);
    return ring.since(seq) === null ? { seq: ring.last, reset: 'too-old' } : { seq, reset: null };
  }

  async function* read(call: Follower, reader: Reader): AsyncGenerator<Sent<ChangeEvent>> {
    const idOf = (seq: number): string => `${epoch}.${seq}`;
    const hand = (event: Sent<ChangeEvent>): Sent<ChangeEvent> => {
      reader.handedAt = performance.now();
      reader.beat = false;
      return event;
    };
    let { seq, reset } = place(call.lastEventId);
    try {
      while (!closed && !call.signal.aborted) {
        if (reset !== null) {
          yield hand({ id: idOf(seq), data: { type: 'reset', reason: reset } });
          reset = null;
          continue;
        }
        const notices = ring.since(seq);
        if (notices === null) {
          [seq, reset] = [ring.last, 'too-old'];
          continue;
        }
        for (const notice of notices) {
          seq = notice.seq;
          if (mayHear(call, notice)) yield hand({ id: idOf(seq), data: notice.event });
        }
        if (reader.beat) yield hand(null);
        reader.handedAt = null;
        if (ring.last === seq && !closed) await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      readers.delete(reader);
    }
  }

  return {
    tell,
    follow(call) {
      if (readers.size >= mostReaders)
        throw new EvenkeelError({
          code: 'too-many-streams',
          what: `${mostReaders} clients follow what happens here already`,
          next: 'close a dashboard that nobody looks at, and try again',
          retryable: true,
        });
      const reader: Reader = { wake: () => {}, handedAt: null, beat: false, cut: () => call.cut() };
      readers.add(reader);
      call.signal.addEventListener('abort', () => {
        readers.delete(reader);
        reader.wake();
      });
      return read(call, reader);
    },
    get version() {
      return ring.last;
    },
    get readers() {
      return readers.size;
    },
    close() {
      closed = true;
      off();
      clearInterval(heart);
      for (const reader of readers) reader.wake();
    },
  };
}

function mayHear({ may, who }: Follower, { permission, scope, organization }: Notice): boolean {
  if (permission === null || may(permission, scope)) return true;
  if (organization === undefined || who === undefined) return false;
  return who.kind !== 'anonymous' && (organizationsOf(who)?.includes(organization) ?? true);
}
