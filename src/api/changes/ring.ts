import type { Permission } from '../../domain/access/permissions.ts';
import type { Scope } from '../../domain/access/may.ts';
import type { ChangeEvent } from '../contract/changes.ts';

/** What is told, and who may hear it. */
export interface Notice {
  event: Exclude<ChangeEvent, { type: 'reset' }>;
  /** Null: everybody who is known. */
  permission: Permission | null;
  /** Null: the server itself. */
  scope: Scope | null;
  /** To whose members it is told as well, whatever they may do: it names nothing. Absent: to nobody else. */
  organization?: string;
}

export interface Numbered extends Notice {
  seq: number;
}

/**
 * The last notices, once for all readers: each has only a number up to where it has read, so that two hundred that do not
 * read take no more memory than one.
 */
export class NoticeRing {
  readonly #most: number;
  #entries: Numbered[] = [];
  #last = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The number of the newest; 0: there was none. */
  get last(): number {
    return this.#last;
  }

  add(notice: Notice): void {
    this.#entries.push({ ...notice, seq: ++this.#last });
    // Half of them at once, or every notice would move all others.
    if (this.#entries.length >= this.#most * 2) this.#entries = this.#entries.slice(-this.#most);
  }

  /**
   * Those after a number, of each thing only the newest, in order. Null: some of them are forgotten, or the number is of
   * another ring.
   */
  since(seq: number): Numbered[] | null {
    if (seq > this.#last || seq < 0) return null;
    const missing = this.#last - seq;
    if (missing > this.#most || missing > this.#entries.length) return null;
    if (missing === 0) return [];
    const newest = new Map<string, Numbered>();
    for (const each of this.#entries.slice(-missing)) {
      const thing = `${thingOf(each.event)} ${each.organization ?? ''}`;
      // Taken out first: it moves to where it was told last.
      newest.delete(thing);
      newest.set(thing, each);
    }
    return [...newest.values()];
  }
}

/** Of notices about one thing the newest says all. */
function thingOf(event: Notice['event']): string {
  switch (event.type) {
    case 'status':
      return `status ${event.project} ${event.environment}`;
    case 'rollout':
      return `rollout ${event.rollout}`;
    case 'release':
      return `release ${event.project} ${event.environment} ${event.service}`;
    case 'audit':
      return `audit ${event.project ?? ''} ${event.environment ?? ''}`;
    case 'metrics':
    case 'server':
      return event.type;
  }
}
