import { request } from 'node:http';
import { connect } from 'node:net';
import { described } from '../../ports/errors.ts';

/** Where programs listen that were asked to on this machine: many take `localhost` for IPv6 alone. */
const HOSTS = ['127.0.0.1', '::1'] as const;

export type Answer =
  | { ok: true; host: string }
  /** `listens`: there is a program, and it is not well. */
  | { ok: false; listens: boolean; why: string };

/**
 * Whether a program is well, asked once: 2xx to GET `path`, or any accepted connection when that is null. Says under which
 * address. Never rejects.
 */
export async function answers(port: number, path: string | null, timeoutMs: number): Promise<Answer> {
  for (const host of HOSTS) {
    try {
      await (path === null ? accepts(host, port, timeoutMs) : replies(host, port, path, timeoutMs));
      return { ok: true, host };
    } catch (error) {
      if (!isRefusal(error)) return { ok: false, listens: true, why: described(error) };
    }
  }
  return { ok: false, listens: false, why: `nothing listens on port ${port}` };
}

const isRefusal = (error: unknown): boolean => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ECONNREFUSED' || code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
};

function accepts(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve();
      socket.destroy();
    });
  });
}

function replies(host: string, port: number, path: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, agent: false, headers: { 'user-agent': 'evenkeel-check' } });
    const timer = setTimeout(
      () => asked.destroy(new Error(`GET ${path}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    asked.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.once('response', (response) => {
      clearTimeout(timer);
      const { statusCode = 0 } = response;
      response.destroy();
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`GET ${path}: ${statusCode}`));
    });
    asked.end();
  });
}
