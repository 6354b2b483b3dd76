import type { Server } from 'node:https';
import type { SecureContext, SecureContextOptions, TlsOptions } from 'node:tls';
import type { EdgeTlsState } from '../../domain/traffic/tls.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { EdgeLog } from '../log.ts';
import { Certificates } from './certificates.ts';
import type { LoadedCertificate } from './certificates.ts';
import { SECURITY } from './security.ts';
import { TicketKeys } from './ticket-keys.ts';
import type { TlsPort } from './wanted-ports.ts';

/** Of one port: which certificate for whom. */
interface Choice {
  readonly byName: ReadonlyMap<string, LoadedCertificate>;
  readonly fallback: LoadedCertificate;
}

/** Keys of session tickets are looked at this often. */
const TICKETS_EVERY_MS = 3_600_000;

/** The ports of TLS with their certificates, which change while they serve. */
export class TlsPorts {
  readonly #certificates: Certificates;
  readonly #tickets: TicketKeys;
  readonly #timer: NodeJS.Timeout;
  readonly #servers = new Map<string, Server>();
  readonly #errors = new Map<string, string>();
  #ports = new Map<string, TlsPort>();
  #choices = new Map<string, Choice>();

  /** `usable`: certificates have changed, so that a port may be opened that could not be before. */
  constructor(options: { folder: string; lookMs: number }, log: EdgeLog, usable: () => void) {
    this.#tickets = new TicketKeys(options.folder, log);
    this.#certificates = new Certificates(options.lookMs, log, () => {
      this.#choose();
      usable();
    });
    this.#timer = setInterval(() => this.#renewTickets(), TICKETS_EVERY_MS).unref();
  }

  /** Reads what certificates are needed. Afterwards `openable` says which of the ports can be served. */
  async want(ports: readonly TlsPort[]): Promise<void> {
    if (ports.length > 0) this.#tickets.refresh(Date.now());
    this.#ports = new Map(ports.map((port) => [portId(port), port]));
    for (const address of this.#errors.keys()) if (!this.#ports.has(address)) this.#errors.delete(address);
    await this.#certificates.use(ports.flatMap(({ certificates }) => certificates));
    this.#choose();
  }

  /**
   * Those with a certificate that can be used, or that is being issued, and with a number that nothing else has. Where
   * there is none yet, every handshake fails but those of its issuer.
   */
  get openable(): TlsPort[] {
    return [...this.#ports.values()].filter(
      (port) => !port.taken && (this.#choices.has(portId(port)) || awaits(port) !== null),
    );
  }

  /** For certificates that have changed. */
  look(): Promise<void> {
    return this.#certificates.look();
  }

  /** How the last try to listen ended. */
  tried(address: string, error: string | null): void {
    if (error === null) this.#errors.delete(address);
    else this.#errors.set(address, error);
  }

  /** Whether clients are served at an address (`bind:port`). */
  serves(address: string): boolean {
    return this.#servers.has(address) && this.#choices.has(address);
  }

  /** For the server at an address, which is one of `openable`. */
  options(address: string): TlsOptions {
    return {
      ...this.#context(address),
      // Whoever names none of these, or nothing, is not left to guess.
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => done(null, this.#contextFor(address, name)),
    };
  }

  attach(address: string, server: Server): void {
    this.#servers.set(address, server);
  }

  detach(address: string): void {
    this.#servers.delete(address);
  }

  /** Of ports that are served, or could not be; one that is about to be opened is not told of yet. */
  state(): EdgeTlsState[] {
    const known = [...this.#ports.values()].filter((port) => !this.#isPending(port));
    return known.map((port) => ({
      port: port.port,
      bind: port.bind,
      services: [...port.services],
      error: this.#problemOf(port),
      waiting: this.#choices.has(portId(port)) ? null : awaits(port),
      hosts: [...port.hosts],
      certificates: port.certificates.map((pair) => this.#certificates.seen(pair)),
    }));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#certificates.stop();
  }

  #isPending(port: TlsPort): boolean {
    const address = portId(port);
    const tried = this.#servers.has(address) || this.#errors.has(address);
    return !port.taken && (this.#choices.has(address) || awaits(port) !== null) && !tried;
  }

  #problemOf(port: TlsPort): string | null {
    const address = portId(port);
    if (port.taken)
      return `${address} is a port of plain HTTP or of a service; give \`tls.port\` another number in evenkeel.yaml`;
    if (!this.#choices.has(address)) {
      const errors = port.certificates.flatMap((pair) => this.#certificates.seen(pair).error ?? []);
      const why = errors.join('; ');
      if (errors.length === 0) return this.#errors.get(address) ?? null;
      return `TLS cannot be served at ${address}: ${why}`;
    }
    return this.#servers.has(address) ? null : (this.#errors.get(address) ?? null);
  }

  #context(address: string): SecureContextOptions {
    const choice = this.#choices.get(address);
    return { ...SECURITY, cert: choice?.fallback.cert, key: choice?.fallback.key, ticketKeys: this.#tickets.keys };
  }

  /** Undefined: the server's own, which is the first certificate. */
  #contextFor(address: string, name: string): SecureContext | undefined {
    const wanted = name.toLowerCase();
    const dot = wanted.indexOf('.');
    const byName = this.#choices.get(address)?.byName;
    return (byName?.get(wanted) ?? byName?.get(`*${wanted.slice(Math.max(0, dot))}`))?.context;
  }

  /** By the certificates as they are now. Connections that are open keep what they have. */
  #choose(): void {
    this.#choices = new Map(
      [...this.#ports].flatMap(([address, port]): [string, Choice][] => {
        const loaded = port.certificates.flatMap((pair) => this.#certificates.of(pair) ?? []);
        const [fallback] = loaded;
        if (fallback !== undefined) return [[address, { byName: byName(loaded), fallback }]];
        // Who changes from certificates that are given, or from another issuer, is served with the former ones until then.
        const former = awaits(port) === null ? undefined : this.#choices.get(address);
        return former === undefined ? [] : [[address, former]];
      }),
    );
    this.#update();
  }

  #update(): void {
    for (const [address, server] of this.#servers)
      if (this.#choices.has(address)) server.setSecureContext(this.#context(address));
  }

  #renewTickets(): void {
    if (this.#servers.size > 0 && this.#tickets.refresh(Date.now())) this.#update();
  }
}

/** Which certificates have to be issued for a port, in words; null: none. */
function awaits({ certificates }: TlsPort): string | null {
  const hosts = certificates.flatMap(({ issuedFor }) => issuedFor ?? []);
  return hosts.length === 0 ? null : `the certificate for ${hosts.join(', ')} is being got`;
}

/** Of several for one name, the one that lasts longest. */
function byName(loaded: readonly LoadedCertificate[]): Map<string, LoadedCertificate> {
  const shortestFirst = loaded.toSorted((a, b) => a.notAfter - b.notAfter);
  return new Map(shortestFirst.flatMap((each) => each.names.map((name) => [name, each])));
}
