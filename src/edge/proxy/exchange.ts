import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isPubliclyCacheable, readSession, sessionCookie, sessionHash } from '../../domain/traffic/session.ts';
import type { LiveInstance } from '../live/instance.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import { Tunnel } from '../stream/tunnel.ts';
import type { ReplySink, UpstreamConnection, UpstreamFailure } from '../upstream/connection.ts';
import type { ParsedHead } from '../upstream/response-parser.ts';
import { Account } from './account.ts';
import type { ProxyContext, Target } from './context.ts';
import type { Waiting } from './hold-queue.ts';
import { ownReply } from './own-reply.ts';
import { Reply } from './reply.ts';
import type { RequestShape } from './request-head.ts';
import { clientAddress, requestHead } from './request-head.ts';
import { readResponseHead } from './response-head.ts';
import { newSessionId } from './session-id.ts';
import type { Swept } from './sweeper.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Connections tried for one request: the first, a fresh one after a stale one, another instance after a dead one. */
const MAX_ATTEMPTS = 3;

/** What an `Upgrade` request brings along: the raw connection, and what the client already sent on it. */
export interface UpgradeRequest {
  readonly socket: Socket;
  readonly head: Buffer;
}

export interface ExchangeParts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: Target;
  readonly shape: RequestShape;
  readonly host: string;
  readonly probe: boolean;
  readonly upgrade: UpgradeRequest | null;
}

/** One request from its head to the last byte of its reply: choose, wait if need be, ask, ask again if allowed, answer. */
export class Exchange implements ReplySink, Waiting, Swept {
  readonly #context: ProxyContext;
  readonly #parts: ExchangeParts;
  readonly #trusted: boolean;
  readonly #reply: Reply;
  #session: string | null = null;
  #isNewSession = false;
  #account: Account | null = null;
  #service: LiveService | null = null;
  #release: LiveRelease | null = null;
  #instance: LiveInstance | null = null;
  #connection: UpstreamConnection | null = null;
  #attempts = 0;
  #continued = false;
  #done = false;
  #waitingUntil = 0;
  #startedAt: number;
  /** Since when the edge waits for the upstream's next byte, the client having done its part. */
  #silentSince: number;
  #bytesRead = 0;

  constructor(context: ProxyContext, parts: ExchangeParts) {
    this.#context = context;
    this.#parts = parts;
    this.#trusted = context.trusts(clientAddress(parts.req));
    this.#startedAt = performance.now();
    this.#silentSince = this.#startedAt;
    this.#reply = new Reply(context, parts.req, parts.res, () => this.#upstreamDone());
    context.inFlight++;
    context.sweeper.add(this);
    parts.res.on('close', () => this.#clientGone());
  }

  start(): void {
    this.#session = readSession(this.#parts.req.headers.cookie);
    this.#route();
  }

  retry(): void {
    this.#waitingUntil = 0;
    this.#startedAt = performance.now();
    this.#silentSince = this.#startedAt;
    this.#route();
  }

  /** Chooses by the table as it is now; a request that was chosen for keeps its account. */
  #route(): void {
    const { target } = this.#parts;
    const service = this.#context.service(target.key);
    if (service === undefined) {
      this.#context.book.unrouted++;
      this.#finishWith(404);
      return;
    }
    this.#service = service;
    const server = target.pinned === null ? this.#choose(service) : (service.releases.get(target.pinned) ?? null);
    if (server === null || !server.available) this.#wait(service);
    else this.#serve(server);
  }

  #choose(service: LiveService): LiveRelease | null {
    // Sessions are told apart only where it matters.
    const matters = service.splits || service.evidence !== null;
    if (matters && this.#session === null) {
      this.#session = newSessionId();
      this.#isNewSession = true;
    }
    const hash = matters ? sessionHash(this.#session ?? '', service.config.unit) : 0;
    const owner = service.owner(hash);
    if (owner === null) return null;
    const server = service.standIn(owner);
    if (this.#account === null && !this.#parts.probe) this.#account = new Account(service, owner, hash);
    // A release without a healthy instance fails the sessions it owns, although they are served by another.
    if (server !== null && server !== owner) this.#account?.failed();
    return server;
  }

  #wait(service: LiveService): void {
    const mayWait =
      service.config.whenEmpty === 'hold' && this.#parts.upgrade === null && this.#parts.target.pinned === null;
    if (!mayWait || !service.held.add(this)) {
      this.#refuse(service);
      return;
    }
    if (this.#waitingUntil === 0) service.counters.heldTotal++;
    this.#waitingUntil = Math.max(this.#waitingUntil, this.#startedAt + this.#context.options.hold.ms);
  }

  #refuse(service: LiveService): void {
    if (!this.#parts.probe && this.#parts.target.pinned === null) {
      service.counters.refused++;
      if (this.#account === null) service.counters.unserved++;
    }
    this.#account?.unanswered();
    this.#finishWith(503, ['Retry-After', '2']);
  }

  #serve(release: LiveRelease): void {
    this.#release = release;
    if (release.site === null) {
      const instance = release.pick(null);
      if (instance !== null) this.#attempt(release, instance, false);
      return;
    }
    const { req, res } = this.#parts;
    const service = this.#service;
    const headers = this.#ownHeaders(undefined, true);
    res.on('finish', () => this.#end());
    release.site.serve(req, res, headers, {
      elsewhere: [...(service?.releases.values() ?? [])].flatMap((other) =>
        other === release ? [] : (other.site ?? []),
      ),
      started: (status) => this.#account?.answered(release, null, status, performance.now() - this.#startedAt, 0),
      /** A page is not cacheable by others, so it may carry the session. */
      privately: () => this.#ownHeaders(undefined, false),
    });
  }

  #attempt(release: LiveRelease, instance: LiveInstance, fresh: boolean): void {
    const { req, res, shape, host, upgrade } = this.#parts;
    this.#attempts++;
    this.#release = release;
    this.#instance = instance;
    instance.taken();
    const repeatable = !shape.hasBody && IDEMPOTENT.has(req.method ?? '');
    const connection = fresh || upgrade !== null ? instance.pool.open() : instance.pool.take(!repeatable);
    this.#connection = connection;
    if (shape.hasBody && !this.#continued && req.headers.expect !== undefined) {
      this.#continued = true;
      res.writeContinue();
    }
    const head = requestHead(req, {
      path: req.url ?? '/',
      host,
      chunked: shape.chunked,
      trusted: this.#trusted,
      upgrade: upgrade !== null,
    });
    connection.send(head, shape.hasBody ? req : null, shape.chunked, req.method === 'HEAD', this);
  }

  onHead(head: ParsedHead): void {
    const now = performance.now();
    this.#silentSince = now;
    const { upgrade } = this.#parts;
    const release = this.#release;
    const connection = this.#connection;
    if (release === null || connection === null) return;
    if (this.#instance !== null) this.#instance.connectFailures = 0;
    this.#account?.answered(release, this.#instance, head.status, now - this.#startedAt, this.#context.options.youngMs);
    if (head.status === 101) {
      // Only asked for by an upgrade; the tunnel writes its own head.
      if (upgrade === null) connection.destroy();
      const own = this.#ownHeaders(undefined, false);
      if (upgrade !== null) this.#reply.switchProtocols(upgrade.socket, head, own);
      else this.#breakOff();
      return;
    }
    const parsed = readResponseHead(head.headers);
    this.#reply.begin(head, parsed, this.#ownHeaders(parsed.cacheControl, false), connection, this.#instance);
  }

  onBody(chunk: Buffer): void {
    this.#reply.write(chunk);
  }

  onEnd(trailers: string[] | null): void {
    this.#silentSince = performance.now();
    this.#connection = null;
    this.#reply.end(trailers);
    this.#end();
  }

  onTunnel(socket: Socket, rest: Buffer): void {
    const { upgrade } = this.#parts;
    const instance = this.#instance;
    const counters = this.#release?.counters;
    if (upgrade === null || instance === null || counters === undefined) {
      socket.destroy();
      return;
    }
    this.#context.sweeper.delete(this);
    this.#connection = null;
    const counted = this.#account !== null;
    if (counted) counters.websockets++;
    const { longLived } = this.#context;
    const tunnel = new Tunnel(upgrade.socket, socket, () => {
      longLived.delete(tunnel);
      instance.longLived.delete(tunnel);
      if (counted) counters.websockets--;
      this.#end();
    });
    longLived.add(tunnel);
    instance.longLived.add(tunnel);
    tunnel.start(upgrade.head, rest);
    if (this.#context.draining || instance.draining) tunnel.endSoftly();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#connection = null;
    const instance = this.#leaveInstance();
    if (this.#reply.begun) {
      this.#account?.truncated();
      this.#breakOff();
      return;
    }
    if (failure !== 'stale') this.#account?.failed();
    if (failure === 'connect' && instance !== null) this.#noteDead(instance);
    if (this.#tryAgain(failure, instance)) return;
    this.#account?.unanswered();
    this.#finishWith(502);
  }

  /** A request is sent again only if nothing of it was sent before, or if sending it twice does no harm. */
  #tryAgain(failure: UpstreamFailure, instance: LiveInstance | null): boolean {
    const { req, shape } = this.#parts;
    const harmless = !shape.hasBody && IDEMPOTENT.has(req.method ?? '');
    const unsent = failure === 'connect';
    if (!unsent && (!harmless || (failure !== 'stale' && failure !== 'closed'))) return false;
    const service = this.#service;
    if (this.#attempts >= MAX_ATTEMPTS || service === null || this.#release === null) return false;
    this.#account?.retried();
    const again = failure === 'stale' ? this.#release.pick(null) : this.#release.pick(instance);
    if (again !== null && (again !== instance || failure !== 'connect')) {
      this.#attempt(this.#release, again, true);
      return true;
    }
    if (!unsent) return false;
    const other = [...service.releases.values()].find(
      (release) => release !== this.#release && release.weight > 0 && release.pick(instance) !== null,
    );
    const standIn = other?.pick(instance) ?? null;
    if (this.#parts.target.pinned === null && other !== undefined && standIn !== null)
      this.#attempt(other, standIn, true);
    else this.#wait(service);
    return true;
  }

  /** Refused or unreachable: others first, and a check decides at once. */
  #noteDead(instance: LiveInstance): void {
    instance.connectFailures++;
    instance.check.soon();
    if (!instance.ejected && this.#release?.mayEject() === true) {
      instance.ejected = true;
      instance.check.consecutive = 0;
    }
  }

  sweep(now: number): void {
    if (this.#done) return;
    const { options } = this.#context;
    const { req, shape } = this.#parts;
    if (this.#waitingUntil > 0) {
      if (now >= this.#waitingUntil && this.#service !== null) {
        this.#service.held.delete(this);
        this.#refuse(this.#service);
      }
      return;
    }
    if (this.#reply.begun) {
      this.#silentSince = Math.max(this.#silentSince, this.#reply.activeAt);
      if (this.#reply.pausedSince > 0) {
        if (now - this.#reply.pausedSince > options.client.stallMs) this.#parts.res.destroy();
      } else if (
        !this.#reply.isEventStream &&
        this.#connection !== null &&
        now - this.#silentSince > options.upstreamIdleMs
      ) {
        this.#account?.truncated();
        this.#breakOff();
      }
      return;
    }
    if (shape.hasBody && !req.complete && !req.isPaused()) {
      const { bytesRead } = req.socket;
      if (bytesRead !== this.#bytesRead) {
        this.#bytesRead = bytesRead;
        this.#silentSince = now;
      } else if (now - this.#silentSince > options.client.stallMs) {
        this.#account?.abandoned();
        this.#dropUpstream();
        this.#finishWith(408, ['Connection', 'close']);
      }
      return;
    }
    if (this.#connection !== null && now - this.#silentSince > (this.#service?.config.timeoutMs ?? 0)) this.#timeOut();
  }

  #timeOut(): void {
    this.#dropUpstream();
    this.#account?.unanswered();
    this.#finishWith(504);
  }

  #clientGone(): void {
    if (this.#done || this.#parts.res.writableFinished) return;
    this.#service?.held.delete(this);
    // After a 101 the tunnel looks after the connection.
    if (this.#reply.switched) return;
    this.#account?.abandoned();
    this.#dropUpstream();
    this.#end();
  }

  /** The client has all it will get (an event stream that was asked to end). */
  #upstreamDone(): void {
    this.#dropUpstream();
    this.#end();
  }

  #dropUpstream(): void {
    this.#connection?.destroy();
    this.#connection = null;
    this.#leaveInstance();
  }

  #leaveInstance(): LiveInstance | null {
    const instance = this.#instance;
    this.#instance = null;
    instance?.given();
    return instance;
  }

  /** The client must see that its reply is not whole. */
  #breakOff(): void {
    this.#dropUpstream();
    this.#end();
    this.#parts.res.destroy();
    this.#parts.upgrade?.socket.destroy();
  }

  #finishWith(status: number, headers: readonly string[] = []): void {
    const own = this.#context.draining ? [...headers, 'Connection', 'close'] : headers;
    ownReply(this.#parts.req, this.#parts.res, status, own);
    this.#end();
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#reply.forget();
    this.#leaveInstance();
    this.#account?.close();
    this.#context.sweeper.delete(this);
    this.#context.inFlight--;
  }

  /** Headers that the edge adds to a reply. */
  #ownHeaders(cacheControl: string | undefined, cacheable: boolean): string[] {
    const headers: string[] = [];
    const { probe } = this.#parts;
    if (probe && this.#release !== null) headers.push('Evenkeel-Release', this.#release.name);
    const sets = this.#isNewSession && !probe && this.#service?.splits === true && this.#parts.target.pinned === null;
    if (sets && !cacheable && !isPubliclyCacheable(cacheControl))
      headers.push('Set-Cookie', sessionCookie(this.#session ?? '', this.#isSecure()));
    if (this.#context.draining) headers.push('Connection', 'close');
    return headers;
  }

  #isSecure(): boolean {
    return this.#trusted && this.#parts.req.headers['x-forwarded-proto'] === 'https';
  }
}
