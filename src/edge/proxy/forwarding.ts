import type { Socket } from 'node:net';
import type { LiveInstance } from '../live/instance.ts';
import type { LiveRelease, LiveService } from '../live/service.ts';
import { Tunnel } from '../stream/tunnel.ts';
import type { ReplySink, UpstreamConnection, UpstreamFailure } from '../upstream/connection.ts';
import type { ParsedHead } from '../upstream/response-parser.ts';
import type { AccessRecord } from '../access-log/access-record.ts';
import type { HeadEdits } from '../policy/head-edits.ts';
import type { Account } from './account.ts';
import type { ClientReply, ClientRequest } from './client.ts';
import type { ProxyContext, Target } from './context.ts';
import type { Deadlines } from './deadlines.ts';
import { Reply } from './reply.ts';
import type { RequestShape } from './request-head.ts';
import { requestHead } from './request-head.ts';
import { readResponseHead, withoutHeader } from './response-head.ts';
import { isRepeatable, secondChance } from './second-chance.ts';

/** What an `Upgrade` request brings along: the raw connection, and what the client already sent on it. */
export interface UpgradeRequest {
  readonly socket: Socket;
  readonly head: Buffer;
  /** The reply lets go of the connection. */
  detach(): void;
}

export interface RequestParts {
  readonly req: ClientRequest;
  readonly res: ClientReply;
  readonly target: Target;
  readonly shape: RequestShape;
  readonly host: string;
  /** One of evenkeel's own: answered like any other, counted nowhere. */
  readonly probe: boolean;
  readonly upgrade: UpgradeRequest | null;
  /** What the service is told besides, or not. */
  readonly edits: HeadEdits | null;
  /** Null when no log is kept. */
  readonly record: AccessRecord | null;
}

/** Whose request is forwarded. After `ended` nothing more happens to it. */
export interface Asker {
  readonly parts: RequestParts;
  readonly deadlines: Deadlines;
  /** Whose word about clients is believed; null when that of the peer is not. */
  readonly trusts: ((address: string) => boolean) | null;
  /** Null for what is not counted. */
  readonly account: Account | null;
  /** Flat headers that the edge adds to a reply of `release`. */
  ownHeaders(release: LiveRelease, cacheControl: string | undefined): string[];
  wait(service: LiveService): void;
  /** The edge answers itself. */
  finishWith(status: number, headers?: readonly string[]): void;
  ended(): void;
}

/** Timeouts in a row that put an instance out of turn; a refused connection does at once. */
const TIMEOUTS_TO_EJECT = 3;

/** Asks instances until one replies, and passes the reply on. */
export class Forwarding implements ReplySink {
  readonly #context: ProxyContext;
  readonly #asker: Asker;
  readonly #parts: RequestParts;
  readonly #reply: Reply;
  #service: LiveService | null = null;
  #release: LiveRelease | null = null;
  #instance: LiveInstance | null = null;
  #connection: UpstreamConnection | null = null;
  #attempts = 0;
  /** It reached an instance, as far as anybody can tell, and brought no reply. */
  #sent = false;
  #continued = false;

  constructor(context: ProxyContext, asker: Asker) {
    this.#context = context;
    this.#asker = asker;
    this.#parts = asker.parts;
    this.#reply = new Reply(context, asker.parts.req, asker.parts.res, () => asker.ended());
  }

  /** After a 101 the tunnel looks after the client's connection. */
  get switched(): boolean {
    return this.#reply.switched;
  }

  ask(service: LiveService, release: LiveRelease, instance: LiveInstance, fresh = false): void {
    const { req, res, shape, host, upgrade } = this.#parts;
    this.#attempts++;
    this.#service = service;
    this.#release = release;
    this.#instance = instance;
    instance.taken();
    const repeatable = isRepeatable(req.method, shape.hasBody);
    const connection = fresh || upgrade !== null ? instance.pool.open() : instance.pool.take(!repeatable);
    this.#connection = connection;
    if (shape.hasBody && !this.#continued && req.headers.expect !== undefined && req.httpVersion !== '1.0') {
      this.#continued = true;
      res.writeContinue();
    }
    const head = requestHead(req, {
      path: req.url ?? '/',
      host,
      chunked: shape.chunked,
      trusts: this.#asker.trusts,
      upgrade: upgrade !== null,
      edits: this.#parts.edits,
    });
    const { policy } = this.#parts.target;
    // A length that was told was looked at before.
    const most = shape.chunked && !this.#parts.probe ? (policy?.maxBody ?? null) : null;
    const limit = most === null ? null : { most, exceeded: () => this.#tooLarge() };
    connection.send(head, shape.hasBody ? req : null, shape.chunked, req.method === 'HEAD', this, limit);
  }

  onHead(head: ParsedHead): void {
    const now = performance.now();
    const { upgrade } = this.#parts;
    const { account, deadlines } = this.#asker;
    const release = this.#release;
    const connection = this.#connection;
    if (release === null || connection === null) return;
    deadlines.heard(now);
    if (head.status === 101 && upgrade === null) {
      this.#fail(502); // nobody asked for that
      return;
    }
    const parsed = readResponseHead(head.headers);
    if (!parsed.plain) {
      this.#fail(502);
      return;
    }
    if (this.#instance !== null) this.#instance.failures = 0;
    this.#parts.record?.answered(head.status, release.name, this.#instance?.id ?? null);
    account?.answered(release, this.#instance, head.status, now - deadlines.startedAt, this.#context.options.youngMs);
    if (head.status === 101 && upgrade !== null) {
      this.#reply.switchProtocols(upgrade, head, this.#asker.ownHeaders(release, undefined));
      return;
    }
    const own = this.#asker.ownHeaders(release, parsed.cacheControl);
    // Browsers believe the first of two, and the file says what holds for everything.
    if ((this.#parts.target.hsts ?? null) !== null) withoutHeader(parsed.headers, 'strict-transport-security');
    this.#reply.begin(head, parsed, own, connection, this.#instance);
  }

  onBody(chunk: Buffer): void {
    const { record } = this.#parts;
    if (record !== null) record.bytes += chunk.length;
    this.#reply.write(chunk);
  }

  onEnd(trailers: string[] | null): void {
    this.#connection = null;
    this.#reply.end(trailers);
    this.#asker.ended();
  }

  onTunnel(socket: Socket, rest: Buffer): void {
    this.#connection = null;
    const { upgrade } = this.#parts;
    const instance = this.#instance;
    const counters = this.#asker.account === null ? undefined : this.#release?.counters;
    if (upgrade === null || instance === null) {
      socket.destroy();
      return;
    }
    if (counters !== undefined) counters.websockets++;
    const { longLived, options } = this.#context;
    const tunnel = new Tunnel(upgrade.socket, socket, () => {
      longLived.delete(tunnel);
      instance.longLived.delete(tunnel);
      if (counters !== undefined) counters.websockets--;
      this.#asker.ended();
    });
    longLived.add(tunnel);
    instance.longLived.add(tunnel);
    tunnel.start(upgrade.head, rest, options.client.stallMs);
    if (this.#context.draining || instance.shedding) tunnel.endSoftly();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#connection = null;
    const instance = this.#leaveInstance();
    if (this.#reply.begun) {
      this.#breakOff();
      return;
    }
    if (failure !== 'stale') this.#asker.account?.failed();
    if (failure === 'connect' && instance !== null) this.#doubt(instance, 1);
    if (!this.#tryAgain(failure, instance)) this.#fail(502);
  }

  #tryAgain(failure: UpstreamFailure, instance: LiveInstance | null): boolean {
    const { req, shape, target } = this.#parts;
    const service = this.#service;
    const release = this.#release;
    if (service === null || release === null) return false;
    const repeatable = isRepeatable(req.method, shape.hasBody);
    const pinned = target.pinned !== null;
    const [attempts, sent] = [this.#attempts, this.#sent];
    const chance = secondChance({ failure, attempts, sent, repeatable, service, release, instance, pinned });
    if (failure !== 'connect') this.#sent = true;
    if (chance === 'give-up') return false;
    this.#asker.account?.retried();
    if (this.#parts.record !== null) this.#parts.record.retries++;
    if (chance === 'wait') this.#asker.wait(service);
    else this.ask(service, chance.release, chance.instance, true);
    return true;
  }

  /** Others are preferred to it from now on, and a check decides at once whether it is well. */
  #doubt(instance: LiveInstance, enough: number): void {
    instance.failures++;
    instance.check.soon();
    if (instance.failures >= enough && this.#release?.mayEject() === true) instance.eject();
  }

  /** Looks whether somebody is late. */
  sweep(now: number): void {
    if (this.#connection === null) return;
    const { req, res, shape } = this.#parts;
    const { deadlines, account } = this.#asker;
    const timeoutMs = this.#service?.config.timeoutMs ?? 0;
    switch (deadlines.overdue(now, { req, reply: this.#reply, uploading: shape.hasBody, timeoutMs })) {
      case 'reply':
        if (this.#instance !== null) this.#doubt(this.#instance, TIMEOUTS_TO_EJECT);
        this.#fail(504);
        break;
      case 'rest-of-reply':
        this.#breakOff();
        break;
      case 'upload':
        account?.abandoned();
        this.drop();
        this.#asker.finishWith(408, ['Connection', 'close']);
        break;
      case 'download':
        res.destroy(); // counts as a client that left
        break;
      case null:
        break;
    }
  }

  /** No reply is wanted any more. */
  drop(): void {
    this.#reply.forget();
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

  #fail(status: number): void {
    this.drop();
    this.#asker.account?.unanswered();
    this.#asker.finishWith(status);
  }

  /** More is sent than is accepted: that is the client's doing, and says nothing about the release. */
  #tooLarge(): void {
    this.#asker.account?.abandoned();
    const begun = this.#reply.begun;
    this.drop();
    if (this.#parts.record !== null) this.#parts.record.refusedBy = 'body';
    if (!begun) this.#asker.finishWith(413, ['Connection', 'close']);
    else {
      this.#asker.ended();
      this.#parts.res.destroy();
    }
  }

  /** The upstream let its reply down, and the client must see that it is not whole. */
  #breakOff(): void {
    this.#asker.account?.truncated();
    this.#parts.record?.finish('broken');
    this.drop();
    this.#asker.ended();
    this.#parts.res.destroy();
  }
}
