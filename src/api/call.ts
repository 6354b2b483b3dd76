import type { z } from 'zod';
import type { Identity } from '../domain/access/identity.ts';
import type { Scope } from '../domain/access/may.ts';
import type { Permission } from '../domain/access/permissions.ts';
import type { Caller } from '../engine/access/deps.ts';
import type { Session } from '../ports/sign-in-store.ts';
import type { ReplyOf } from './contract/client.ts';
import type { DownloadOperation, StreamOperation } from './contract/operation.ts';
import type { Operations } from './contract/operations.ts';
import type { OperationId } from './contract/paths.ts';

/** What a handler knows of a request beside its input. */
export interface Call {
  readonly who: Identity;
  /** With which cookie they are known; null: with something else. */
  readonly session: Session | null;
  readonly caller: Caller;
  /** The organization of a project; null: none that they know of. For the local token it is always null. */
  organizationOf(project: string): string | null;
  /** Gives the browser another cookie, or takes it away. */
  keepSession(session: { cookie: string; lastsMs: number } | null): void;
  /** Who it was that signed in, for the audit. */
  becomes(who: Identity): void;
  /** For lists that go over many environments: what one may not see is left out. */
  may(permission: Permission, scope: Scope | null): boolean;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
  /** The last event that a client has seen which was cut off. */
  readonly lastEventId: string | null;
  /** Ends the connection of a client that does not read what it asked for. */
  cut(): void;
  /** Called when the reply is on its way. */
  afterReply(callback: () => void): void;
}

/** An event of a stream; null is a sign of life. */
export type Sent<T> = { readonly id?: string; readonly data: T } | null;

/** A file that is sent as it is made. */
export interface Download {
  /** Of its content. */
  readonly type: string;
  readonly name: string;
  /** With their ends. */
  readonly lines: AsyncIterable<string>;
}

/** An input with what it left to its defaults. */
export type Checked<Id extends OperationId> = z.output<Operations[Id]['input']>;

/** What answers each operation. A stream refuses before it returns what goes on. */
export type Handlers = {
  readonly [Id in OperationId]: (
    input: Checked<Id>,
    call: Call,
  ) => Operations[Id] extends StreamOperation
    ? Promise<AsyncIterable<Sent<ReplyOf<Id>>>>
    : Operations[Id] extends DownloadOperation
      ? Promise<Download>
      : Promise<ReplyOf<Id>>;
};
