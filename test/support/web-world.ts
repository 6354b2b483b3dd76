import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Handlers } from '../../src/api/call.ts';
import type { ApiDeps } from '../../src/api/api-deps.ts';
import { openWebDoor } from '../../src/app/web-door.ts';
import { bindPort, isFailure } from '../../src/platform/listen-handle.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { send } from './edge-harness.ts';

/** What a program that asks the API is answered. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The code of a refusal; null: there was none. */
  readonly code: string | null;
}

/** Somebody who comes by TCP, with the cookie of a browser or with a token. */
export interface Visitor {
  cookie: string | null;
  ask(method: string, path: string, body?: object): Promise<Answer>;
}

export interface WebWorld extends ApiWorld {
  port: number;
  /** Of the cookie of a session. */
  cookieName: string;
  /** A browser that nobody has signed in with yet. */
  browser(from?: string): Visitor;
  withToken(token: string): Visitor;
  /** Signed in as a user who may do these things there; made with what the local command may do. */
  link(login?: string): Promise<string>;
}

/** The API of an engine in a world of fakes, with the door that browsers come by. */
export async function openWebWorld(over: Partial<ApiDeps> = {}, handlers?: Handlers): Promise<WebWorld> {
  const it = await openApiWorld(over, handlers);
  const handle = bindPort({ port: 0, bind: '127.0.0.1' });
  if (isFailure(handle)) throw new Error(handle.code);
  const door: Server = openWebDoor(it.api, handle, (error) => console.error(error));
  await once(door, 'listening');
  const { port } = door.address() as AddressInfo;

  const visitor = (headersOf: () => Record<string, string>, from?: string): Visitor => ({
    cookie: null,
    async ask(method, path, body) {
      const cookie: Record<string, string> = this.cookie === null ? {} : { cookie: this.cookie };
      const sent = body === undefined ? {} : { 'content-type': 'application/json' };
      const headers = { ...headersOf(), ...cookie, ...sent };
      const address = from === undefined ? {} : { localAddress: from };
      const path_ = path.startsWith('/') ? path : `/api/v1/${path}`;
      const reply = await send(
        { port, path: path_, method, headers, ...address },
        body === undefined ? '' : JSON.stringify(body),
      );
      const [set] = reply.headers['set-cookie'] ?? [];
      if (set !== undefined) this.cookie = set.includes('Max-Age=0;') ? null : (set.split(';')[0] ?? null);
      const isJson = String(reply.headers['content-type']).includes('json');
      const json = (isJson ? JSON.parse(reply.body) : {}) as Record<string, unknown>;
      return { status: reply.status, body: json, code: typeof json['code'] === 'string' ? json['code'] : null };
    },
  });

  return {
    ...it,
    port,
    cookieName: `evenkeel-${it.deps.engine.deps.digest(it.deps.server.home).slice(0, 8)}`,
    browser: (from) => visitor(() => ({}), from),
    withToken: (token) => visitor(() => ({ authorization: `Bearer ${token}` })),
    async link(login) {
      const asked = {
        path: '/api/v1/sign-in-links',
        method: 'POST' as const,
        body: login === undefined ? {} : { login },
      };
      const { path } = (await it.client.json(asked)) as { path: string };
      return path.slice(path.indexOf('#link=') + 6);
    },
    async close() {
      door.close();
      door.closeAllConnections();
      await it.close();
    },
  };
}
