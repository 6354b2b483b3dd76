import { setImmediate as turn } from 'node:timers/promises';

interface Alarm {
  at: number;
  /** Alarms of the same moment ring in the order in which they were set. */
  order: number;
  ring: () => void;
}

/** Time that passes only when everybody waits for it. */
export class VirtualTime {
  now: number;
  #alarms: Alarm[] = [];
  #set = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** How many wait for something. */
  get pending(): number {
    return this.#alarms.length;
  }

  /** Calls back after `ms`, unless the returned function was called before. */
  after(ms: number, ring: () => void): () => void {
    const alarm = { at: this.now + Math.max(0, ms), order: this.#set++, ring };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((each) => each !== alarm);
    };
  }

  /** What is under way goes on before this resolves; no time passes. */
  tick(): Promise<void> {
    return Promise.resolve();
  }

  /** Lets everybody do what can be done now, then rings the next alarm if it is due by `until`. False: none is. */
  async step(until: number): Promise<boolean> {
    await turn();
    let first: Alarm | undefined;
    for (const each of this.#alarms)
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order)) first = each;
    if (first === undefined || first.at > until) {
      this.now = Math.max(this.now, until);
      return false;
    }
    const chosen = first;
    this.#alarms = this.#alarms.filter((each) => each !== chosen);
    this.now = Math.max(this.now, chosen.at);
    chosen.ring();
    return true;
  }
}
