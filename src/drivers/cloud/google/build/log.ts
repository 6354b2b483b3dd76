import { StringDecoder } from 'node:string_decoder';
import { GoogleRefusal } from '../../../../platform/google/refusal.ts';
import type { Google } from '../google.ts';

/** The last lines of a build's log that an error shows. */
const LAST = 20;

/** Follows the log of a build, which Cloud Build appends to an object in a bucket. */
export class BuildLog {
  private readonly google: Google;
  private readonly url: string;
  private readonly line: (text: string) => void;
  private offset = 0;
  /** A letter may be cut where one look ends and the next begins. */
  private readonly letters = new StringDecoder('utf8');
  private rest = '';
  private lines: string[] = [];

  constructor(google: Google, where: { bucket: string; object: string }, line: (text: string) => void) {
    this.google = google;
    this.url = `https://storage.googleapis.com/storage/v1/b/${where.bucket}/o/${encodeURIComponent(where.object)}`;
    this.line = line;
  }

  /** What is new of it. */
  async read(signal: AbortSignal): Promise<void> {
    const answer = await this.google.http
      .send('GET', this.url, {
        query: { alt: 'media' },
        headers: { range: `bytes=${this.offset}-`, accept: '*/*' },
        signal,
      })
      .catch((error: unknown) => {
        // Not begun yet, or nothing new.
        if (error instanceof GoogleRefusal && (error.status === 404 || error.status === 416)) return null;
        throw error;
      });
    if (answer === null) return;
    const bytes = Buffer.from(await answer.arrayBuffer());
    // Who does not know ranges sends all of it again.
    const fresh = answer.status === 206 ? bytes : bytes.subarray(this.offset);
    this.offset += fresh.length;
    const parts = (this.rest + this.letters.write(fresh)).split('\n');
    this.rest = parts.pop() ?? '';
    parts.forEach((part) => this.say(part));
  }

  /** What is left when the build is over. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.read(signal);
    this.rest += this.letters.end();
    if (this.rest !== '') this.say(this.rest);
    this.rest = '';
  }

  end(): string[] {
    return this.lines;
  }

  private say(text: string): void {
    const plain = text.replace(/\r$/, '');
    this.lines = [...this.lines, plain].slice(-LAST);
    this.line(plain);
  }
}
