import type { ProbeResult } from './probe.ts';
import { probe } from './probe.ts';

export interface CheckSettings {
  readonly path: string | null;
  readonly graceMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Successes in a row that make an instance healthy. */
const TO_HEALTHY = 2;
/** Failures in a row that make it unhealthy: a refused connection is plainer than a slow or odd reply. */
const TO_UNHEALTHY = 3;
const TO_UNHEALTHY_REFUSED = 2;
/** While its state is about to change an instance is looked at more often. */
const EAGER_MS = 100;

/** Looks at one instance again and again, from its first second to its last. */
export class ActiveCheck {
  readonly #port: number;
  readonly #startedAt: number;
  readonly #changed: () => void;
  #settings: CheckSettings;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;
  #running: Promise<void> | null = null;
  healthy = false;
  consecutive = 0;
  checks = 0;
  lastError: string | null = null;
  #failures = 0;

  /** `startedAt`: wall time of the instance's start. `changed` is called after every look that changed anything. */
  constructor(port: number, startedAt: number, settings: CheckSettings, changed: () => void) {
    this.#port = port;
    this.#startedAt = startedAt;
    this.#settings = settings;
    this.#changed = changed;
  }

  configure(settings: CheckSettings): void {
    this.#settings = settings;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Looks at once: something makes its health doubtful. */
  soon(): void {
    if (!this.#stopped && this.#running === null) this.#schedule(0);
  }

  /** One look, resolved with whether it was well; for the moment before a restored table is used. */
  async look(): Promise<boolean> {
    this.#running ??= this.#look().finally(() => {
      this.#running = null;
    });
    await this.#running;
    return this.lastError === null;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.look().then(() => {
        if (!this.#stopped && this.#timer === null) this.#schedule(this.#pause());
      });
    }, delayMs);
  }

  /** Until the next look. */
  #pause(): number {
    const { intervalMs, graceMs } = this.#settings;
    const starting = !this.healthy && Date.now() - this.#startedAt < graceMs;
    const turning = this.healthy ? this.#failures > 0 : this.consecutive > 0;
    return starting || turning ? Math.min(EAGER_MS, intervalMs) : intervalMs;
  }

  async #look(): Promise<void> {
    const { path, timeoutMs } = this.#settings;
    const result = await probe({ port: this.#port, path, timeoutMs });
    this.#note(result);
  }

  #note(result: ProbeResult): void {
    this.checks++;
    if (result.ok) {
      this.consecutive++;
      this.#failures = 0;
      this.lastError = null;
      if (this.consecutive >= TO_HEALTHY) this.healthy = true;
    } else {
      this.consecutive = 0;
      this.#failures++;
      this.lastError = result.error;
      if (this.#failures >= (result.refused ? TO_UNHEALTHY_REFUSED : TO_UNHEALTHY)) this.healthy = false;
    }
    this.#changed();
  }
}
