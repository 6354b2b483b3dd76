import type { EdgeInstance, EdgeInstanceHealth } from '../../domain/traffic/protocol.ts';
import type { CheckSettings } from '../health/active-check.ts';
import { ActiveCheck } from '../health/active-check.ts';
import { UpstreamPool } from '../upstream/pool.ts';
import type { LongLived } from '../stream/long-lived.ts';
import { endSpread } from '../stream/long-lived.ts';

/** Part of the drain over which long-lived connections are ended; the rest is for what is slow to leave. */
const SPREAD_SHARE = 0.8;

/** One copy of a release as the edge knows it: its connections, its health, what it is busy with. */
export class LiveInstance {
  readonly id: string;
  readonly port: number;
  readonly startedAt: number;
  readonly pool: UpstreamPool;
  readonly check: ActiveCheck;
  /** WebSockets and event streams. */
  readonly longLived = new Set<LongLived>();
  #inFlight = 0;
  #draining = false;
  #ceded = false;
  #leaving = false;
  ejected = false;
  /** Failed connects and timeouts in a row, as requests met them. */
  failures = 0;

  /** `changed`: its health may be another one now. */
  constructor({ id, port, startedAt }: EdgeInstance, settings: CheckSettings, changed: () => void) {
    this.id = id;
    this.port = port;
    this.startedAt = startedAt;
    this.pool = new UpstreamPool(port);
    this.check = new ActiveCheck(port, startedAt, settings, () => {
      if (this.ejected && this.check.consecutive >= 2) this.readmit();
      changed();
    });
  }

  /** May take a new request. */
  get usable(): boolean {
    return this.check.healthy && !this.ejected && !this.#draining;
  }

  /** What lives long is to go elsewhere, also what is only just opened. */
  get shedding(): boolean {
    return this.#draining || this.#ceded;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  taken(): void {
    this.#inFlight++;
  }

  given(): void {
    this.#inFlight--;
    this.#closeWhenDone();
  }

  /** Out of turn until checks find it well again, twice. */
  eject(): void {
    if (this.ejected) return;
    this.ejected = true;
    this.check.consecutive = 0;
  }

  readmit(): void {
    this.ejected = false;
    this.failures = 0;
  }

  /** Takes nothing new; what lives long is ended bit by bit, so that not all clients come back in the same moment. */
  drain(drainMs: number): void {
    if (this.#draining) return;
    this.#draining = true;
    endSpread(this.longLived, drainMs * SPREAD_SHARE);
  }

  /** The command that made it drain was taken back. */
  undrain(): void {
    if (!this.#leaving) this.#draining = false;
  }

  /**
   * Its release has lost its share and stays hot for a return. Whoever is connected for long moves over as in a drain;
   * else people would be kept apart by release for the whole rollback window, and with one that was taken back.
   */
  cede(drainMs: number): void {
    if (this.#ceded) return;
    this.#ceded = true;
    endSpread(this.longLived, drainMs * SPREAD_SHARE);
  }

  /** Its release has a share again. */
  regain(): void {
    this.#ceded = false;
  }

  /** It is no longer named: drains, and is forgotten when the last request is answered. */
  leave(drainMs: number): void {
    this.#leaving = true;
    this.check.stop();
    this.drain(drainMs);
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#leaving && this.#inFlight === 0) this.pool.close();
  }

  toHealth(): EdgeInstanceHealth {
    const { healthy, consecutive, checks, lastError } = this.check;
    return { id: this.id, healthy, consecutive, checks, lastError, inFlight: this.#inFlight, ejected: this.ejected };
  }
}
