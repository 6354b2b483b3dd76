import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks for the version without a pause, and remembers when it was first another one. */
export class Prober {
  readonly #changes: { at: number; version: string }[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  requests = 0;
  failed = 0;

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  /** Wall time, ms, of the first whole reply of this version after `since`; null while there was none. */
  firstOf(version: string, since: number): number | null {
    return this.#changes.find((each) => each.version === version && each.at >= since)?.at ?? null;
  }

  async #run(): Promise<void> {
    let last = '';
    while (!this.#stopped) {
      this.requests++;
      const version = await this.#ask();
      if (version === null) this.failed++;
      else if (version !== last) {
        // As Date.now(), with its fraction: what it is compared with comes from other processes of this machine.
        this.#changes.push({ at: performance.timeOrigin + performance.now(), version });
        last = version;
      }
      await sleep(1);
    }
  }

  #ask(): Promise<string | null> {
    return new Promise((resolve) => {
      const request = get(
        { port: this.#port, host: '127.0.0.1', path: '/api/version', agent: this.#agent },
        (reply) => {
          reply.resume();
          reply.on('end', () => resolve(reply.statusCode === 200 ? String(reply.headers['x-app-version']) : null));
          reply.on('error', () => resolve(null));
        },
      );
      request.on('error', () => resolve(null));
    });
  }
}
