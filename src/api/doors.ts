import type { IncomingMessage } from 'node:http';

/** How people and programs come in from elsewhere. */
export interface Door {
  /** As browsers name it, where the operator says so; null: by whatever address they reach it. */
  readonly publicOrigin: string | null;
  /** Names of this server in a `Host`, beside addresses and `localhost`; small letters, without a port. */
  readonly hosts: readonly string[];
  /** Whether what a peer says of those it speaks for is believed. */
  trusts(address: string): boolean;
}

/** Requests that came over TCP, and not over the socket in the server's own folder. */
const web = new WeakSet<IncomingMessage>();

export const enteredByWeb = (request: IncomingMessage): void => void web.add(request);

export const isFromWeb = (request: IncomingMessage): boolean => web.has(request);
