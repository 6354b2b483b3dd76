import type { AdmittedTable } from '../../domain/traffic/admission.ts';
import type { EdgeTlsState } from '../../domain/traffic/tls.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import type { TlsPorts } from '../tls/tls-ports.ts';
import { plainPortsOf, tlsPortsOf } from '../tls/wanted-ports.ts';
import type { Listeners, Opened } from './listeners.ts';
import { portRefusal } from './port-refusal.ts';

type Failed = Opened & { ok: false };

/**
 * The ports that a table needs, in plain and over TLS. A plain port that cannot be had refuses the table; one of TLS
 * does not, since an abort must be obeyed whatever became of a certificate. It is reported, and tried for again.
 */
export class Ports {
  readonly #listeners: Listeners;
  readonly #tls: TlsPorts;

  constructor(listeners: Listeners, tls: TlsPorts) {
    this.#listeners = listeners;
    this.#tls = tls;
  }

  async open(table: AdmittedTable): Promise<Opened> {
    const opened = await this.#listeners.open(plainOf(table));
    if (opened.ok) await this.#openTls(table);
    return opened;
  }

  /** Opens what can be had, and returns what cannot of the plain ones. */
  async openEach(table: AdmittedTable): Promise<Failed[]> {
    const failed = await this.#listeners.openEach(plainOf(table));
    await this.#openTls(table);
    return failed;
  }

  /** Closes what the table does not need. */
  keepOnly(table: AdmittedTable): void {
    this.#listeners.keepOnly([...plainOf(table), ...this.#tls.openable]);
  }

  /** Whether TLS is served at an address (`bind:port`). */
  servesTls(address: string): boolean {
    return this.#tls.serves(address);
  }

  /** For certificates that have changed. */
  look(): Promise<void> {
    return this.#tls.look();
  }

  tlsState(): EdgeTlsState[] {
    return this.#tls.state();
  }

  stop(): void {
    this.#tls.stop();
  }

  async #openTls(table: AdmittedTable): Promise<void> {
    await this.#tls.want(tlsPortsOf(table.values()));
    const { openable } = this.#tls;
    const failed = await this.#listeners.openEach(openable, 'tls');
    for (const port of openable) {
      const failure = failed.find((each) => portId(each) === portId(port));
      const why = failure && portRefusal(failure, failure.code, this.#listeners.addresses);
      this.#tls.tried(portId(port), why ?? null);
    }
  }
}

const plainOf = (table: AdmittedTable): PortBinding[] =>
  plainPortsOf([...table.values()].flatMap(({ config }) => config ?? []));
