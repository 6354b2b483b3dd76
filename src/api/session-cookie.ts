import type { FastifyReply } from 'fastify';
import { cookieIn } from './cookie-in.ts';

/** The cookie that carries a session. */
export interface SessionCookie {
  /** What the cookie holds; null: there is none. */
  read(header: string | undefined): string | null;
  set(reply: FastifyReply, text: string, lastsMs: number): void;
  forget(reply: FastifyReply): void;
}

/**
 * `home` tells servers apart that a browser reaches at one host: cookies know no ports. `secure`: people come by https. The
 * prefix then keeps other hosts of the domain from planting one. https://www.rfc-editor.org/rfc/rfc6265 and
 * https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-cookie-name-prefixes
 */
export function sessionCookie({ home, secure }: { home: string; secure: boolean }): SessionCookie {
  const name = `${secure ? '__Host-' : ''}evenkeel-${home}`;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return {
    read(header) {
      const text = cookieIn(header, name) ?? '';
      return /^[\w-]{1,200}$/.test(text) ? text : null;
    },
    set: (reply, text, lastsMs) =>
      void reply.header('set-cookie', `${name}=${text}; Max-Age=${Math.floor(lastsMs / 1_000)}; ${attributes}`),
    forget: (reply) => void reply.header('set-cookie', `${name}=; Max-Age=0; ${attributes}`),
  };
}
