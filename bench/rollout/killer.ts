import { watch } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../test/support/wait.ts';
import type { Stage } from '../../test/support/stage.ts';

/**
 * - `seen`: as soon as the transition into the phase can be read in the store: after it is persisted, before or while it is acted upon.
 * - `written`: in the first write to the store's log after that: while the next transition is being persisted.
 * - `later`: a random moment within the following 300 ms.
 */
export type Moment = 'seen' | 'written' | 'later';

export interface Kill {
  phase: string;
  moment: Moment;
  /** The last line of the journal when it was dead: what had been persisted. */
  persisted: string;
  /** Ms from the kill to an answer of the API. */
  answeredMs: number;
  /** Ms from the kill to the next line of the journal; null when there was none to come. */
  progressMs: number | null;
}

/** Kills the controller with SIGKILL at chosen moments of a rollout, found by reading its store from outside. */
export class Killer {
  readonly #stage: Stage;
  readonly #db: DatabaseSync;
  #diedAt = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#db = new DatabaseSync(stage.system.paths.store, { readOnly: true, timeout: 50 });
  }

  close(): void {
    this.#db.close();
  }

  /** Waits for the phase of the rollout, then for the moment, kills, and measures how it comes back. */
  async kill(id: string, phase: string, moment: Moment, signal: AbortSignal): Promise<Kill> {
    const { pid } = (await this.#stage.system.keeperInfo()).controller ?? {};
    if (pid === undefined) throw new Error('there is no controller to kill');
    // Every millisecond, or the moment is missed.
    for (const limit = performance.now() + 60_000; !this.#journal(id).some((each) => each.to === phase);) {
      signal.throwIfAborted();
      if (performance.now() > limit)
        throw new Error(`${id} did not reach ${phase}: ${JSON.stringify(this.#journal(id))}`);
      await sleep(1);
    }
    if (moment === 'written') await this.#nextWrite();
    else if (moment === 'later') await sleep(Math.random() * 300);
    process.kill(pid, 'SIGKILL');
    const killedAt = Date.now();
    const persisted = this.#journal(id);
    const answeredMs = await this.#answer(id, pid, killedAt);
    this.#diedAt = performance.now();
    return {
      phase,
      moment,
      persisted: persisted.at(-1)?.to ?? 'nothing',
      answeredMs,
      progressMs: await this.#progress(id, persisted.length, killedAt),
    };
  }

  /**
   * A controller that was killed soon after its start is started later each time, as anything that crashes again and
   * again should be. One that has lived for ten seconds was well, and that is how a controller is killed in real life.
   */
  async letLive(signal: AbortSignal): Promise<void> {
    await sleep(Math.max(0, 10_500 - (performance.now() - this.#diedAt)), undefined, { signal });
  }

  #journal(id: string): { at: number; to: string }[] {
    const sql = 'select at, to_state as "to" from journal where rollout = ? order by seq';
    return this.#db
      .prepare(sql)
      .all(id)
      .map((row) => ({ at: Number(row['at']), to: String(row['to']) }));
  }

  #nextWrite(): Promise<void> {
    return new Promise((resolve) => {
      const watcher = watch(`${this.#stage.system.paths.store}-wal`, () => done());
      const timer = setTimeout(() => done(), 5_000);
      function done(): void {
        clearTimeout(timer);
        watcher.close();
        resolve();
      }
    });
  }

  async #answer(id: string, dead: number, killedAt: number): Promise<number> {
    // Whatever was under way is cut; what is asked now waits in the socket until somebody takes it.
    await waitFor(
      async () => {
        const { pid } = await this.#stage.system.get<{ pid: number }>('/v1/server');
        return pid !== dead && (await this.#stage.system.rollout(id)) !== null;
      },
      { what: 'another controller to answer', timeout: 30_000, interval: 2 },
    );
    return Date.now() - killedAt;
  }

  /** The journal's own time of its next line: when the new controller decided it. */
  async #progress(id: string, lines: number, killedAt: number): Promise<number | null> {
    const next = await waitFor(
      () => {
        const journal = this.#journal(id);
        const after = journal.find((each, index) => index >= lines && each.at >= killedAt);
        const last = journal.at(-1)?.to ?? '';
        return after ?? (isOver(last) ? 'over' : null);
      },
      { what: 'the rollout to go on', timeout: 30_000, interval: 5 },
    );
    return next === 'over' ? null : next.at - killedAt;
  }
}

const isOver = (state: string): boolean => ['complete', 'rolled-back', 'failed', 'aborted'].includes(state);
