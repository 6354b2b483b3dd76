import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf, type Desired, type Kind, type Observed } from '../../../domain/cloud/resource.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { type Operation, settledAt, type Waiting } from '../../../platform/google/operations.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { pollPause } from '../../../platform/google/retry.ts';
import type { Google } from './google.ts';

export type Wanted<K extends Kind> = Extract<Desired, { kind: K }>;
export type Seen<K extends Kind> = Extract<Observed, { kind: K }>;

/** One look at the cloud. What several kinds need is asked for once. */
export interface Sight {
  google: Google;
  signal: AbortSignal;
  /** Also how much is in them, which costs a call for each bucket. */
  sizes: boolean;
  once<T>(key: string, ask: () => Promise<T>): Promise<T>;
}

/** One change. */
export interface Work {
  google: Google;
  signal: AbortSignal;
  /** Says what is being done, in words. */
  say(doing: string): void;
}

/** How one kind of resource is read and changed. Every change may be made again, twice, or beside another's. */
export interface KindDriver<K extends Kind> {
  observe(sight: Sight): Promise<Seen<K>[]>;
  create(wanted: Wanted<K>, work: Work): Promise<Seen<K>>;
  update(wanted: Wanted<K>, seen: Seen<K>, work: Work): Promise<Seen<K>>;
  remove(seen: Seen<K>, work: Work): Promise<void>;
  setRunning?(seen: Seen<K>, running: boolean, work: Work): Promise<void>;
}

export const MINUTE = 60_000;

export function waiting(work: Work, resource: { kind: Kind; name: string }, act: string, minutes = 10): Waiting {
  return {
    http: work.google.http,
    doing: `${act} ${addressOf(resource)}`,
    signal: work.signal,
    deadlineMs: minutes * MINUTE,
  };
}

/** Carries out a change of what is there, or its end, and waits. (A conflict is one: it was not carried out.) */
export async function carriedOut(
  base: string,
  begin: () => Promise<Operation>,
  wait: Waiting,
  say: (doing: string) => void,
): Promise<void> {
  const operation = await begin();
  say('waiting for the operation');
  await settledAt(base, operation, wait);
}

/** Begins to make something and waits for its end; what is there already counts as begun. True: it was begun here. */
export async function begun(
  base: string,
  begin: () => Promise<Operation>,
  wait: Waiting,
  say: (doing: string) => void,
): Promise<boolean> {
  const operation = await unlessStatus(409, begin);
  if (operation === null) return false;
  say('waiting for the operation');
  await settledAt(base, operation, wait);
  return true;
}

/** Of one creation that another's change crosses. */
const MOST_CROSSED = 4;

/** Null when Google answers with this status. (A 409 that only means that another change came between is asked again.) */
export async function unlessStatus<T>(status: 404 | 409, ask: () => Promise<T>): Promise<T | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof GoogleRefusal) || error.status !== status) throw error;
      if (error.reason !== 'ABORTED') return null;
      if (tries >= MOST_CROSSED) throw error;
    }
  }
}

export const ifThere = <T>(ask: () => Promise<T>): Promise<T | null> => unlessStatus(404, ask);

/** Looks until it is so; another may have begun what is waited for. `look` gives null while it is not. */
export async function untilSo<T>(
  look: () => Promise<T | null>,
  { http, doing, signal, deadlineMs }: Waiting,
): Promise<T> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  for (let looks = 0; ; looks += 1) {
    const so = await look();
    if (so !== null) return so;
    await sleep(pollPause(looks, { first: http.pace * 2, random: Math.random() }), undefined, { signal: ended }).catch(
      () => {
        if (signal.reason instanceof EvenkeelError) throw signal.reason;
        throw new EvenkeelError({
          code: signal.aborted ? 'cloud-interrupted' : 'cloud-operation-late',
          what: signal.aborted
            ? `stopped while ${doing}`
            : `${doing} has not ended within ${Math.round(deadlineMs / MINUTE)} minutes`,
          next: 'run the same again: it goes on where this ended',
          retryable: true,
          exit: 2,
        });
      },
    );
  }
}

/** All pages of a list. */
export async function allPages<P extends { nextPageToken?: string | null }, T>(
  ask: (pageToken: string | undefined) => Promise<P>,
  items: (page: P) => T[] | null | undefined,
): Promise<T[]> {
  const found: T[] = [];
  for (let token: string | undefined; ;) {
    const page = await ask(token);
    found.push(...(items(page) ?? []));
    if (!page.nextPageToken) return found;
    token = page.nextPageToken;
  }
}

/** Reads, merges and writes again when another's change came between. */
export async function againOnConflict<T>(write: () => Promise<T>, most = 6): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      const changed = error instanceof GoogleRefusal && (error.status === 409 || error.status === 412);
      if (!changed || tries >= most) throw error;
    }
  }
}

/** `projects/p/locations/r/services/api` -> `api` */
export const lastPart = (name: string | null | undefined): string => (name ?? '').split('/').at(-1) ?? '';

/** Wall time, ms; null for none. */
export const timeOf = (text: string | null | undefined): number | null => {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : ms;
};

export const labelsOf = (labels: Readonly<Record<string, string>> | null | undefined): Record<string, string> => ({
  ...labels,
});

/** For kinds that can neither be declared nor made by a set-up. */
export function comesOtherwise(kind: Kind): never {
  throw new EvenkeelError({ code: 'cloud-not-made-here', what: `set-up makes no ${kind}`, next: 'evenkeel deploy' });
}
