import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AcmeConfig } from '../../../domain/certificate/acme.ts';
import { AcmeClient, isHttps } from './client.ts';
import { caUnreadable, nonsense } from './failure.ts';
import { keyText, newKey } from './files.ts';
import type { IssuerFiles, StoredAccount } from './files.ts';
import { readCa } from './https.ts';

export interface Opened {
  client: AcmeClient;
  key: KeyObject;
}

/** Accounts that are being opened, by directory: two hosts at once must not make two. */
export class Accounts {
  readonly #files: IssuerFiles;
  readonly #opening = new Map<string, Promise<unknown>>();

  constructor(files: IssuerFiles) {
    this.#files = files;
  }

  /** The account at an issuer, which is made when there is none. */
  async open(acme: AcmeConfig, host: string, signal: AbortSignal): Promise<Opened> {
    const before = this.#opening.get(acme.directory) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.#open(acme, host, signal));
    this.#opening.set(acme.directory, mine);
    return mine;
  }

  async #open(acme: AcmeConfig, host: string, signal: AbortSignal): Promise<Opened> {
    signal.throwIfAborted();
    const ca = await readCa(acme.ca).catch((error: unknown) => {
      throw caUnreadable(acme.ca ?? '', error);
    });
    const stored = await this.#stored(acme.directory);
    const key = createPrivateKey(stored.key);
    const client = new AcmeClient({ directory: acme.directory, key, ca, signal });
    if (stored.url === null) await this.#make(client, stored, acme, host);
    else {
      client.account = stored.url;
      if (stored.email !== acme.email) await this.#rename(client, stored, stored.url, acme, host);
    }
    return { client, key };
  }

  /** The key is on disk before it is told to anybody: whoever is killed in between finds the same account again. */
  async #stored(directory: string): Promise<StoredAccount> {
    const known = await this.#files.account(directory);
    if (known !== null) return known;
    const fresh = { key: keyText(newKey()), url: null, email: null };
    await this.#files.saveAccount(directory, fresh);
    return fresh;
  }

  async #make(client: AcmeClient, stored: StoredAccount, acme: AcmeConfig, host: string): Promise<void> {
    const { newAccount } = await client.directory();
    const payload = { termsOfServiceAgreed: true, contact: contactOf(acme) };
    const { location } = await client.post(newAccount, payload, { host, step: 'an account' });
    if (!isHttps(location)) throw nonsense(newAccount, 'it names no account');
    client.account = location;
    await this.#files.saveAccount(acme.directory, { ...stored, url: location, email: acme.email });
  }

  async #rename(client: AcmeClient, stored: StoredAccount, url: string, acme: AcmeConfig, host: string): Promise<void> {
    await client.post(url, { contact: contactOf(acme) }, { host, step: 'another address of the account' });
    await this.#files.saveAccount(acme.directory, { ...stored, email: acme.email });
  }

  /** The issuer does not know the account any more: the next try makes it anew, with the same key. */
  async forget(directory: string): Promise<void> {
    const stored = await this.#files.account(directory);
    if (stored !== null) await this.#files.saveAccount(directory, { ...stored, url: null });
  }
}

const contactOf = ({ email }: AcmeConfig): string[] => (email === null ? [] : [`mailto:${email}`]);
