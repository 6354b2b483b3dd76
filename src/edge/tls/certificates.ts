import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { certificateConcern, daysLeft } from '../../domain/traffic/tls.ts';
import type { CertificatePair, CertificateSeen } from '../../domain/traffic/tls.ts';
import { readCertificatePair, signatureOf } from '../../platform/certificate.ts';
import type { ReadPair } from '../../platform/certificate.ts';
import type { EdgeLog } from '../log.ts';
import { SECURITY } from './security.ts';

/** A certificate in use. */
export interface LoadedCertificate extends ReadPair {
  readonly context: SecureContext;
}

interface Watched {
  readonly pair: CertificatePair;
  loaded: LoadedCertificate | null;
  /** Of the files that were read last. */
  signature: string;
  error: string | null;
  /** The error was there at a second look and has been told. */
  told: boolean;
  /** What was said about its end, so that it is said once a day. */
  concern: string | null;
}

const idOf = ({ cert, key }: CertificatePair): string => `${cert}\n${key}`;

/**
 * The certificates that ports are served with. Files are looked at every few seconds, which sees links that are led
 * elsewhere and folders that are swapped, on every file system; what cannot be used leaves the former one in use.
 */
export class Certificates {
  readonly #log: EdgeLog;
  readonly #changed: () => void;
  readonly #watched = new Map<string, Watched>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  /** `changed`: others are in use than before. */
  constructor(lookMs: number, log: EdgeLog, changed: () => void) {
    this.#log = log;
    this.#changed = changed;
    this.#timer = setInterval(() => void this.look(), lookMs).unref();
  }

  /** Resolves when those that are new have been read; others are forgotten. */
  async use(pairs: readonly CertificatePair[]): Promise<void> {
    const wanted = new Set(pairs.map(idOf));
    for (const id of this.#watched.keys()) if (!wanted.has(id)) this.#watched.delete(id);
    const fresh = pairs.filter((pair) => !this.#watched.has(idOf(pair)));
    await Promise.all(
      fresh.map(async (pair) => {
        if (this.#watched.has(idOf(pair))) return;
        const watched: Watched = { pair, loaded: null, signature: '', error: null, told: false, concern: null };
        this.#watched.set(idOf(pair), watched);
        await this.#read(watched, await signatureOf(pair), true);
      }),
    );
  }

  of(pair: CertificatePair): LoadedCertificate | null {
    return this.#watched.get(idOf(pair))?.loaded ?? null;
  }

  seen(pair: CertificatePair): CertificateSeen {
    const watched = this.#watched.get(idOf(pair));
    const loaded = watched?.loaded ?? null;
    return {
      cert: pair.cert,
      names: loaded?.names ?? [],
      notBefore: loaded?.notBefore ?? null,
      notAfter: loaded?.notAfter ?? null,
      error: watched?.error ?? null,
      ...(pair.issuedFor === undefined ? {} : { issuedFor: pair.issuedFor }),
    };
  }

  /** Looks for changed files. One look at a time. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(async () => {
        const changes = await Promise.all([...this.#watched.values()].map((each) => this.#lookAt(each)));
        if (changes.includes(true)) this.#changed();
      })
      .catch((error: unknown) => this.#log('error', 'certificates could not be looked at', { error: String(error) }));
    return this.#looking;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookAt(watched: Watched): Promise<boolean> {
    this.#sayItsEnd(watched);
    const signature = await signatureOf(watched.pair);
    const same = signature === watched.signature;
    if (same && (watched.error === null || watched.told)) return false;
    return this.#read(watched, signature, same);
  }

  /** True when another one is in use now. `certain`: what is wrong now is not about to be mended. */
  async #read(watched: Watched, signature: string, certain: boolean): Promise<boolean> {
    const { pair } = watched;
    const read = await readCertificatePair(pair);
    watched.signature = signature;
    if (!read.ok && isAwaited(watched)) return false;
    const loaded = read.ok ? load(read.pair) : { error: read.error };
    if ('error' in loaded) {
      watched.error = loaded.error;
      // A renewal writes two files one after the other: what does not fit for a moment is not worth a word.
      watched.told = certain;
      if (certain)
        this.#log('error', 'a certificate cannot be used', {
          cert: pair.cert,
          why: loaded.error,
          meanwhile: watched.loaded === null ? 'it is left out' : 'the one from before is used on',
        });
      return false;
    }
    watched.error = null;
    watched.told = false;
    watched.loaded = loaded;
    const { names, notAfter } = loaded;
    const days = daysLeft(notAfter, Date.now());
    this.#log('info', 'a certificate is in use', { cert: pair.cert, names, daysLeft: days });
    watched.concern = null;
    this.#sayItsEnd(watched);
    return true;
  }

  #sayItsEnd(watched: Watched): void {
    if (watched.loaded === null) return;
    const concern = certificateConcern({ ...this.seen(watched.pair), error: null }, Date.now());
    if (concern !== null && concern !== watched.concern)
      this.#log('warn', 'a certificate needs somebody', { cert: watched.pair.cert, why: concern });
    watched.concern = concern;
  }
}

/** Not issued yet: that is the controller's to tell. */
const isAwaited = ({ pair, loaded, signature }: Watched): boolean =>
  pair.issuedFor !== undefined && loaded === null && signature === 'ENOENT ENOENT';

function load(pair: ReadPair): LoadedCertificate | { error: string } {
  try {
    return { ...pair, context: createSecureContext({ ...SECURITY, cert: pair.cert, key: pair.key }) };
  } catch (error) {
    return { error: `OpenSSL refuses the certificate: ${error instanceof Error ? error.message : String(error)}` };
  }
}
