import { isPubliclyCacheable, readSession, sessionCookie, sessionHash } from '../../domain/traffic/session.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import type { StaticSite } from '../static/site.ts';
import { Account } from './account.ts';
import type { ProxyContext } from './context.ts';
import { Deadlines } from './deadlines.ts';
import type { Asker, RequestParts } from './forwarding.ts';
import { Forwarding } from './forwarding.ts';
import type { Waiting } from './hold-queue.ts';
import { ownReply } from './own-reply.ts';
import { clientAddress, protoOf } from './request-head.ts';
import { newSessionId } from './session-id.ts';
import type { Swept } from './sweeper.ts';

/** Of a 503, in seconds. */
const RETRY_AFTER = '2';

/** One request from its head to the last byte of its reply: choose a release, wait for it if need be, have it answer. */
export class Exchange implements Asker, Waiting, Swept {
  readonly parts: RequestParts;
  readonly trusts: ((address: string) => boolean) | null;
  readonly deadlines: Deadlines;
  readonly #context: ProxyContext;
  readonly #forwarding: Forwarding;
  #session: string | null;
  #isNewSession = false;
  #account: Account | null = null;
  #service: LiveService | null = null;
  #waiting = false;
  #done = false;

  constructor(context: ProxyContext, parts: RequestParts) {
    this.#context = context;
    this.parts = parts;
    this.trusts = trustsFor(context, parts);
    this.deadlines = new Deadlines(context.options, performance.now());
    this.#forwarding = new Forwarding(context, this);
    this.#session = readSession(parts.req.headers.cookie);
    context.inFlight++;
    context.sweeper.add(this);
    parts.res.on('close', () => this.#clientGone());
  }

  get account(): Account | null {
    return this.#account;
  }

  /** Chooses by the table as it is now; a request that was booked for a release stays booked for it. */
  start(): void {
    const { target } = this.parts;
    const service = this.#context.service(target.key);
    if (service === undefined) {
      this.#context.book.unrouted++;
      this.finishWith(404);
      return;
    }
    this.#service = service;
    const server = target.pinned === null ? this.#choose(service) : (service.releases.get(target.pinned) ?? null);
    if (server === null || !server.available) this.wait(service);
    else this.#serve(service, server);
  }

  /** Left the queue. */
  retry(): void {
    this.#waiting = false;
    this.deadlines.resume(performance.now());
    this.start();
  }

  #choose(service: LiveService): LiveRelease | null {
    const { preferred = null } = this.parts.target;
    const belonging = preferred === null ? undefined : service.releases.get(preferred);
    // Sessions are told apart only where it matters.
    const matters = service.splits || service.evidence !== null;
    if (matters && this.#session === null) {
      this.#session = newSessionId();
      this.#isNewSession = belonging === undefined;
    }
    const hash = matters ? sessionHash(this.#session ?? '', service.config.unit) : 0;
    if (belonging?.available === true) {
      if (this.#account === null && !this.parts.probe) this.#account = new Account(service, belonging, hash, true);
      return belonging;
    }
    const owner = service.owner(hash);
    if (owner === null) return null;
    const server = service.standIn(owner);
    if (this.#account === null && !this.parts.probe) this.#account = new Account(service, owner, hash, false);
    // A release without a healthy instance fails the sessions it owns, although they are served by another.
    if (server !== null && server !== owner) this.#account?.failed();
    return server;
  }

  #serve(service: LiveService, release: LiveRelease): void {
    if (release.site !== null) {
      this.#serveFile(service, release, release.site);
      return;
    }
    const instance = release.pick(null);
    if (instance === null) this.wait(service);
    else this.#forwarding.ask(service, release, instance);
  }

  #serveFile(service: LiveService, release: LiveRelease, site: StaticSite): void {
    const { req, res } = this.parts;
    res.on('finish', () => this.ended());
    site.serve(req, res, {
      prefix: service.prefix,
      elsewhere: [...service.releases.values()].flatMap((other) => (other === release ? [] : (other.site ?? []))),
      shared: () => this.#plainHeaders(release),
      privately: () => this.ownHeaders(release, undefined),
      page: (status) => this.#page(status),
      started: (status, bytes) => {
        this.parts.record?.answered(status, release.name, null);
        if (this.parts.record !== null) this.parts.record.bytes = bytes;
        this.#account?.answered(release, null, status, performance.now() - this.deadlines.startedAt, 0);
      },
    });
  }

  wait(service: LiveService): void {
    const { upgrade, target, probe } = this.parts;
    const mayWait = service.config.whenEmpty === 'hold' && upgrade === null && target.pinned === null;
    if (!mayWait || this.#context.stopping || !service.held.add(this)) {
      this.#refuse(service);
      return;
    }
    if (this.deadlines.heldUntil === null && !probe) service.counters.heldTotal++;
    this.#waiting = true;
    this.deadlines.hold();
  }

  #refuse(service: LiveService): void {
    if (!this.parts.probe && this.parts.target.pinned === null) {
      service.counters.refused++;
      if (this.#account === null) service.counters.unserved++;
    }
    this.#account?.unanswered();
    this.finishWith(503, ['Retry-After', RETRY_AFTER]);
  }

  sweep(now: number): void {
    const service = this.#service;
    if (!this.#waiting) {
      this.#forwarding.sweep(now);
    } else if (service !== null && now >= (this.deadlines.heldUntil ?? now)) {
      service.held.delete(this);
      this.#refuse(service);
    }
  }

  #clientGone(): void {
    if (this.#done || this.#forwarding.switched || this.parts.res.writableFinished) return;
    this.#service?.held.delete(this);
    this.#account?.abandoned();
    this.parts.record?.finish('left');
    if (this.#account === null && this.#waiting && !this.parts.probe && this.#service !== null)
      this.#service.counters.unserved++;
    this.ended();
  }

  finishWith(status: number, headers: readonly string[] = []): void {
    const closing = this.#context.draining && !headers.includes('Connection') ? ['Connection', 'close'] : [];
    const { hsts = null } = this.parts.target;
    const strict = hsts === null ? [] : ['Strict-Transport-Security', hsts];
    const bytes = ownReply(this.parts.req, this.parts.res, status, [...headers, ...closing, ...strict], {
      page: this.#page(status),
    });
    const { record } = this.parts;
    if (record !== null) Object.assign(record, { status, bytes });
    this.ended();
  }

  /** What people made for this status, instead of the words of the edge. */
  #page(status: number): string | null {
    return this.parts.target.policy?.pages?.get(status) ?? null;
  }

  ended(): void {
    if (this.#done) return;
    this.#done = true;
    this.parts.record?.finish('whole');
    this.#forwarding.drop();
    this.#account?.close();
    this.#context.sweeper.delete(this);
    this.#context.inFlight--;
  }

  /** With the session, unless others may keep the reply. */
  ownHeaders(release: LiveRelease, cacheControl: string | undefined): string[] {
    const headers = this.#plainHeaders(release);
    const assigned = this.#isNewSession && this.#service?.splits === true && !this.parts.probe;
    if (assigned && !isPubliclyCacheable(cacheControl))
      headers.push('Set-Cookie', sessionCookie(this.#session ?? '', this.#isSecure()));
    return headers;
  }

  #plainHeaders(release: LiveRelease): string[] {
    const headers: string[] = [];
    if (this.parts.probe) headers.push('Evenkeel-Release', release.name);
    if (this.#context.draining) headers.push('Connection', 'close');
    const { hsts = null } = this.parts.target;
    if (hsts !== null) headers.push('Strict-Transport-Security', hsts);
    return headers;
  }

  #isSecure(): boolean {
    return protoOf(this.parts.req, this.trusts !== null) === 'https';
  }
}

/** Proxies in front of this edge, or of this environment; null when the peer is none of them. */
function trustsFor(context: ProxyContext, { req, target }: RequestParts): ((address: string) => boolean) | null {
  const peer = clientAddress(req);
  const mine = target.policy?.trusts ?? null;
  if (mine === null) return context.trusts(peer) ? context.trusts : null;
  const both = (address: string): boolean => mine(address) || context.trusts(address);
  return both(peer) ? both : null;
}
