import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { EdgeLog } from '../log.ts';
import { readWhole, writeWhole } from '../state/durable-file.ts';

/** What Node's ticket keys consist of: a name, and a key each to seal and to sign. */
const BYTES = 48;
/** A key that leaks opens the TLS 1.2 sessions of one day, and none of TLS 1.3. */
const MAX_AGE_MS = 86_400_000;

const fileSchema = z.object({ madeAt: z.number(), keys: z.string() });

/**
 * What session tickets are sealed with. In a file of its owner's, so that a client which returns after the edge was
 * replaced need not begin anew; renewed every day.
 */
export class TicketKeys {
  readonly #path: string;
  readonly #log: EdgeLog;
  #madeAt = Number.NEGATIVE_INFINITY;
  keys: Buffer = Buffer.alloc(0);

  constructor(folder: string, log: EdgeLog) {
    this.#path = join(folder, 'tls-tickets');
    this.#log = log;
  }

  /** Reads or makes them; true when they are others than before. `now`: wall time, ms. */
  refresh(now: number): boolean {
    if (isFresh(this.#madeAt, now)) return false;
    const known = this.#read(now);
    this.#madeAt = known?.madeAt ?? now;
    this.keys = known?.keys ?? randomBytes(BYTES);
    if (known === null) this.#write();
    return true;
  }

  #read(now: number): { madeAt: number; keys: Buffer } | null {
    const file = readWhole(this.#path);
    if (file.state !== 'whole') return null;
    try {
      const { madeAt, keys } = fileSchema.parse(JSON.parse(file.text));
      const bytes = Buffer.from(keys, 'base64');
      return bytes.length === BYTES && isFresh(madeAt, now) ? { madeAt, keys: bytes } : null;
    } catch {
      return null;
    }
  }

  #write(): void {
    try {
      const value = { madeAt: this.#madeAt, keys: this.keys.toString('base64') };
      writeWhole(this.#path, JSON.stringify(value), false);
    } catch (error) {
      // Returning clients begin anew after a hand-over, and that is all.
      this.#log('warn', 'the keys of session tickets could not be written', { error: String(error) });
    }
  }
}

/** One made in the future was made before the clock was set back. */
const isFresh = (madeAt: number, now: number): boolean => madeAt <= now && now - madeAt < MAX_AGE_MS;
