import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { normaliseHost } from '../../domain/traffic/route-table.ts';

/**
 * For which hosts a connection is. Clients ask for several over one, if its certificate is for all of them (RFC 9113,
 * 9.1.1). Who asks for one that it is not for, and that has another certificate here, has not seen who answers: it is
 * told to come again over a connection of its own (421). Where another connection would be shown nothing else, it is
 * answered as it is.
 */
export class Authority {
  readonly #socket: TLSSocket;
  readonly #hasOwn: (host: string) => boolean;
  #certificate: PeerCertificate | null = null;

  /** `hasOwn`: there is a certificate for this host at this port. */
  constructor(socket: TLSSocket, hasOwn: (host: string) => boolean) {
    this.#socket = socket;
    this.#hasOwn = hasOwn;
  }

  isMisdirected(authority: string): boolean {
    // Undocumented in its type: false for a client that names nobody.
    const { servername } = this.#socket as TLSSocket & { readonly servername?: string | false | null };
    if (typeof servername !== 'string' || servername === '') return false;
    const host = normaliseHost(authority);
    if (host === servername.toLowerCase() || !this.#hasOwn(host)) return false;
    this.#certificate ??= this.#socket.getCertificate() as PeerCertificate | null;
    return this.#certificate !== null && checkServerIdentity(host, this.#certificate) !== undefined;
  }
}
