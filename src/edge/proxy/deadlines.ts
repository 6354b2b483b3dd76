import type { EdgeOptions } from '../options.ts';
import type { ClientRequest } from './client.ts';
import type { Reply } from './reply.ts';

/** Whose time is up: the client's in sending or receiving, the upstream before or within its reply. */
export type Overdue = 'upload' | 'download' | 'reply' | 'rest-of-reply';

/** The time limits of one exchange. Only the side whose turn it is can be late. All times are monotonic milliseconds. */
export class Deadlines {
  readonly #options: EdgeOptions;
  /** Since the request began, or left the queue. */
  startedAt: number;
  /** While it waits for an instance: until when. */
  heldUntil: number | null = null;
  /** Since when the edge waits for the next byte. */
  #silentSince: number;
  #bytesRead = 0;

  constructor(options: EdgeOptions, now: number) {
    this.#options = options;
    this.startedAt = now;
    this.#silentSince = now;
  }

  /** It waits for an instance, again perhaps: one limit for all its waiting. */
  hold(): void {
    this.heldUntil ??= this.startedAt + this.#options.hold.ms;
  }

  /** It left the queue; waiting does not count as the service's slowness. */
  resume(now: number): void {
    this.startedAt = now;
    this.#silentSince = now;
  }

  /** The upstream said something. */
  heard(now: number): void {
    this.#silentSince = now;
  }

  /** `timeoutMs`: of the service, to the first byte; `uploading`: the request has a body. */
  overdue(now: number, { req, reply, uploading, timeoutMs }: Exchanged): Overdue | null {
    const { client, upstreamIdleMs } = this.#options;
    if (reply.begun) {
      if (reply.pausedSince > 0) return now - reply.pausedSince > client.stallMs ? 'download' : null;
      // An event stream may be silent for as long as it likes.
      if (reply.isEventStream) return null;
      return now - Math.max(this.#silentSince, reply.activeAt) > upstreamIdleMs ? 'rest-of-reply' : null;
    }
    if (uploading && !req.complete) {
      const { bytesRead } = req.socket;
      if (bytesRead !== this.#bytesRead) {
        this.#bytesRead = bytesRead;
        this.#silentSince = now;
        return null;
      }
      // A paused request waits for the upstream to take more, and that is the upstream's time.
      if (!req.isPaused()) return now - this.#silentSince > client.stallMs ? 'upload' : null;
    }
    return now - this.#silentSince > timeoutMs ? 'reply' : null;
  }
}

interface Exchanged {
  readonly req: ClientRequest;
  readonly reply: Reply;
  readonly uploading: boolean;
  readonly timeoutMs: number;
}
