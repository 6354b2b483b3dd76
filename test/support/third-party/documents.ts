import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** As much of Yjs and of y-websocket's own client as its users here need. */
export interface SharedDocument {
  getArray(name: string): { push(items: string[]): void; toArray(): string[] };
  destroy(): void;
}

export interface Provider {
  readonly synced: boolean;
  on(event: 'status', listener: (event: { status: string }) => void): void;
  on(event: 'sync', listener: (synced: boolean) => void): void;
  on(event: 'connection-close', listener: (event: { code: number; reason: string } | null) => void): void;
  on(event: 'connection-error', listener: (event: { message?: string }) => void): void;
  disconnect(): void;
  destroy(): void;
}

export interface DocumentClient {
  newDocument(): SharedDocument;
  /** Connects, and reconnects by itself, as the library does in a browser. */
  connect(room: string, document: SharedDocument): Provider;
}

type Polyfill = new (url: string, protocols?: string | string[]) => WebSocket;

/** y-websocket's own client, as installed in `folder`; each `connect` is a browser with cookies of its own. */
export function loadDocumentClient(folder: string, origin: string): DocumentClient {
  const installed = createRequire(join(folder, 'package.json'));
  const { Doc } = installed('yjs') as { Doc: new () => SharedDocument };
  const { WebsocketProvider } = installed('y-websocket') as {
    WebsocketProvider: new (
      origin: string,
      room: string,
      document: SharedDocument,
      options: { WebSocketPolyfill: Polyfill; disableBc: boolean },
    ) => Provider;
  };
  return {
    newDocument: () => new Doc(),
    // Without `disableBc` the documents of one process would meet without a server.
    connect: (room, document) =>
      new WebsocketProvider(origin, room, document, { WebSocketPolyfill: browserSocket(), disableBc: true }),
  };
}

/** WebSockets that keep cookies, as those of a browser do. */
function browserSocket(): Polyfill {
  const cookies = new Map<string, string>();
  return class extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      super(url, protocols ?? [], cookie === '' ? {} : { headers: { cookie } });
      this.on('upgrade', ({ headers }) => {
        for (const line of headers['set-cookie'] ?? []) {
          const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
          if (name !== undefined && value !== undefined) cookies.set(name, value);
        }
      });
    }
  };
}
