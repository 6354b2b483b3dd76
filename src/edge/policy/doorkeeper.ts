import type { Client } from '../../domain/traffic/address.ts';
import { clientOf } from '../../domain/traffic/address.ts';
import type { ProxyContext } from '../proxy/context.ts';
import type { RequestParts } from '../proxy/forwarding.ts';
import { ownReply } from '../proxy/own-reply.ts';
import { clientAddress, forwardedFor, protoOf } from '../proxy/request-head.ts';
import { Credentials } from './credentials.ts';
import { Judges } from './forward-auth.ts';
import type { HeadEdits } from './head-edits.ts';
import { combine } from './head-edits.ts';
import type { LivePolicy, Refusal } from './live-policy.ts';

type LetIn = (parts: RequestParts) => void;

const STATUS: Readonly<Record<Refusal['kind'], number>> = { address: 403, rate: 429, maintenance: 503, body: 413 };
const MAINTENANCE = 'This is being worked on. Please come back in a while.';

/**
 * Stands before the public routes. Whom it refuses never came near a release: nothing of it is counted for or against
 * one. evenkeel's own probes are not asked, since they ask what is behind the door.
 */
export class Doorkeeper {
  readonly #context: ProxyContext;
  readonly #credentials: Credentials;
  readonly #judges: Judges;

  constructor(context: ProxyContext) {
    this.#context = context;
    this.#credentials = new Credentials(context.limiterFor);
    this.#judges = new Judges(context.options.workers);
  }

  /** Who asks, believing the proxies that are trusted here. */
  client(req: RequestParts['req'], policy: LivePolicy): Client {
    const peer = clientAddress(req);
    const { trusts } = this.#context;
    const mine = policy.trusts;
    return clientOf(peer, forwardedFor(req), mine === null ? trusts : (each) => mine(each) || trusts(each));
  }

  receive(parts: RequestParts, policy: LivePolicy, letIn: LetIn): void {
    const { shape, req } = parts;
    const length = req.headers['content-length'];
    if (shape.hasBody && policy.maxBody !== null && length !== undefined && Number(length) > policy.maxBody) {
      this.#refuse(parts, policy, { kind: 'body' });
      return;
    }
    if (!policy.guards) {
      letIn(parts);
      return;
    }
    const client = this.client(req, policy);
    const refusal = policy.refusal(client.address, performance.now());
    if (refusal === null && policy.basicAuth === null && policy.forwardAuth === null) letIn(parts);
    else if (refusal !== null && !(refusal instanceof Promise)) this.#refuse(parts, policy, refusal);
    else
      this.#ask(parts, policy, { client, refusal, letIn }).catch((error: unknown) => {
        // Whatever went wrong, nobody gets in by it; it is told where such things are told.
        this.#answer(parts, policy, 503, ['Retry-After', '2'], 'error');
        setImmediate(() => {
          throw error;
        });
      });
  }

  /** While somebody is asked, the client may leave, and this process may be told to. */
  async #ask(
    parts: RequestParts,
    policy: LivePolicy,
    { client, refusal, letIn }: { client: Client; refusal: Promise<Refusal | null> | null; letIn: LetIn },
  ): Promise<void> {
    this.#context.inFlight++;
    let edits: HeadEdits | null | 'answered';
    try {
      const refused = await refusal;
      if (refused !== null) this.#refuse(parts, policy, refused);
      edits = refused === null ? await this.#proven(parts, policy, client) : 'answered';
      if (edits !== 'answered') {
        const more = await this.#judged(parts, policy, client, edits);
        edits = more === 'answered' ? more : combine(edits, more);
      }
    } finally {
      this.#context.inFlight--;
    }
    if (edits === 'answered') return;
    if (isGone(parts.res)) parts.record?.finish('left');
    else letIn({ ...parts, edits: combine(parts.edits, edits) });
  }

  async #proven(parts: RequestParts, policy: LivePolicy, client: Client): Promise<HeadEdits | null | 'answered'> {
    const { basicAuth } = policy;
    if (basicAuth === null) return null;
    const { authorization } = parts.req.headers;
    const challenge = ['WWW-Authenticate', `Basic realm="${basicAuth.realm}", charset="UTF-8"`];
    if (authorization === undefined || saysTwice(parts.req.rawHeaders)) {
      this.#answer(parts, policy, 401, challenge, 'password');
      return 'answered';
    }
    const proof = await this.#credentials.prove(basicAuth, authorization, client.address, performance.now());
    switch (proof.kind) {
      case 'proven':
        if (parts.record !== null) parts.record.user = proof.user;
        return basicAuth.passOn ? null : { drop: new Set(['authorization']), add: '' };
      case 'refused':
        this.#answer(parts, policy, 401, challenge, 'password');
        return 'answered';
      case 'throttled':
        this.#answer(parts, policy, 429, ['Retry-After', String(proof.retryAfterS)], 'password');
        return 'answered';
      case 'busy':
        this.#answer(parts, policy, 503, ['Retry-After', String(proof.retryAfterS)], 'password');
        return 'answered';
    }
  }

  async #judged(
    parts: RequestParts,
    policy: LivePolicy,
    client: Client,
    edits: HeadEdits | null,
  ): Promise<HeadEdits | null | 'answered'> {
    const { forwardAuth } = policy;
    if (forwardAuth === null || isGone(parts.res)) return null;
    const { req, res, host } = parts;
    const peer = clientAddress(req);
    const proto = protoOf(req, this.#context.trusts(peer) || policy.trusts?.(peer) === true);
    const answer = await this.#judges.ask(forwardAuth, { req, host, proto, chain: client.chain, edits });
    if (answer.kind === 'let-in') return answer.edits;
    if (answer.kind === 'failed') {
      if (parts.record !== null) parts.record.detail = answer.why;
      this.#answer(parts, policy, 503, ['Retry-After', '2'], 'forward-auth');
      return 'answered';
    }
    const { status, headers, body } = answer;
    if (!isGone(res) && !res.headersSent) {
      const framing = ['Content-Length', String(body.length)];
      res.writeHead(status, [...headers, ...framing, ...this.#closing(), ...strict(parts)]);
      res.end(req.method === 'HEAD' ? undefined : body);
    }
    parts.record?.refused(status, 'forward-auth', req.method === 'HEAD' ? 0 : body.length);
    return 'answered';
  }

  #refuse(parts: RequestParts, policy: LivePolicy, refusal: Refusal): void {
    const headers = 'retryAfterS' in refusal ? ['Retry-After', String(refusal.retryAfterS)] : [];
    // What is too large is not read to its end.
    if (refusal.kind === 'body') headers.push('Connection', 'close');
    const { maintenance } = policy;
    const own =
      refusal.kind === 'maintenance' && maintenance !== null ? { page: maintenance.page, text: MAINTENANCE } : {};
    this.#answer(parts, policy, STATUS[refusal.kind], headers, refusal.kind, own);
  }

  #answer(
    parts: RequestParts,
    policy: LivePolicy,
    status: number,
    headers: readonly string[],
    why: string,
    own: { page?: string | null; text?: string } = {},
  ): void {
    const { req, res } = parts;
    const closing = headers.includes('Connection') ? [] : this.#closing();
    const page = own.page ?? policy.pages?.get(status) ?? null;
    const bytes = ownReply(req, res, status, [...headers, ...closing, ...strict(parts)], { ...own, page });
    parts.record?.refused(status, why, bytes);
  }

  #closing(): string[] {
    return this.#context.draining ? ['Connection', 'close'] : [];
  }
}

const isGone = (res: RequestParts['res']): boolean => res.destroyed;

const strict = ({ target: { hsts = null } }: RequestParts): string[] =>
  hsts === null ? [] : ['Strict-Transport-Security', hsts];

/** Node shows the first of two; the service would be shown both. */
function saysTwice(rawHeaders: readonly string[]): boolean {
  let said = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'authorization') said++;
  return said > 1;
}
