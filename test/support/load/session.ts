import { Agent } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { createHmac } from 'node:crypto';

/**
 * Keeps connections until the server ends them, as browsers do. Node's own agent reads the server's `Keep-Alive` hint
 * and lets go earlier, which would hide exactly the moment that the idle gaps are for.
 */
class PatientAgent extends Agent {
  override keepSocketAlive(socket: Duplex & { setKeepAlive?: (on: boolean, delay: number) => void }): boolean {
    socket.setKeepAlive?.(true, 60_000);
    return true;
  }
}

/** One virtual user: cookies, a token, and connections of its own. */
export class Session {
  readonly agent: Agent;
  readonly user: string;
  /** Whether `firstOfSession` was sent. */
  begun = false;
  readonly #cookies = new Map<string, string>();
  readonly #token: string | undefined;
  readonly #keepsCookies: boolean;

  constructor(user: string, secret: string | undefined, keepsCookies = true) {
    this.user = user;
    this.agent = new PatientAgent({ keepAlive: true, maxFreeSockets: 4 });
    this.#token = secret === undefined ? undefined : mintToken(user, secret);
    this.#keepsCookies = keepsCookies;
  }

  headers(auth: boolean): OutgoingHttpHeaders {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return {
      ...(cookie === '' ? {} : { cookie }),
      ...(auth && this.#token !== undefined ? { authorization: `Bearer ${this.#token}` } : {}),
    };
  }

  /** Keeps what `Set-Cookie` says; names and values only, since a load talks to a single site. */
  keepCookies(headers: IncomingHttpHeaders): void {
    if (!this.#keepsCookies) return;
    for (const line of headers['set-cookie'] ?? []) {
      const [pair = '', ...attributes] = line.split(';');
      const equals = pair.indexOf('=');
      if (equals < 1) continue;
      const name = pair.slice(0, equals).trim();
      if (attributes.some(endsCookie)) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(equals + 1).trim());
    }
  }

  end(): void {
    this.agent.destroy();
  }
}

function endsCookie(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=').map((part) => part.trim());
  if (name.toLowerCase() === 'max-age') return Number(value) <= 0;
  return name.toLowerCase() === 'expires' && Date.parse(value) <= Date.now();
}

/** A JSON Web Token, HS256, for a day from `now` (epoch milliseconds). */
export function mintToken(user: string, secret: string, now = Date.now()): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issuedAt = Math.floor(now / 1000);
  const payload = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, iat: issuedAt, exp: issuedAt + 86_400 })}`;
  return `${payload}.${createHmac('sha256', secret).update(payload).digest('base64url')}`;
}
