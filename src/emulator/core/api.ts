/**
 * How an API joins the emulator. One file makes one `Api` for each version it stands in for; `startEmulator` is given the
 * list. All versions of an API share the world's state, so what one version creates the other sees.
 *
 *     export const vpcaccess: Api = {
 *       document: 'vpcaccess.v1',
 *       handlers: {
 *         'vpcaccess.projects.locations.connectors.get': (call, world) => find(world, call.at('name')),
 *       },
 *     };
 *
 * Before a handler runs, the core has checked token, project, whether the API is on, parameters and body; afterwards it
 * checks the reply. A handler keeps nothing outside of `world.state`, whose tables survive a restart.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { JsonObject } from '../json.ts';
import type { Method } from '../schema/document.ts';
import type { Caller } from './identities.ts';
import type { Project } from './projects.ts';
import type { World } from './world.ts';

export interface Api {
  /** File of the discovery document: `run.v2`. */
  document: string;
  /** By method id (`run.projects.locations.services.create`). A method that is missing is answered 501. */
  handlers: Record<string, Handler>;
  /** How it writes errors: newer APIs with `status` and `details[]` (the default), older ones with `errors[].reason`. */
  errors?: 'details' | 'reasons';
  /** The API's name in Service Usage; the host of the document by default, null when it cannot be off. */
  service?: string | null;
  /** Registers operations' effects, starts what has to run. Called once, before the first request. */
  install?: (world: World) => void | Promise<void>;
  /** Ends what `install` and handlers started. */
  stop?: (world: World) => Promise<void>;
}

export type Handler = (call: Call, world: World) => Reply | Promise<Reply>;

/** JSON, or anything else as it is. An empty object for a method without response is sent as 204. */
export type Reply = JsonObject | Raw;

export class Raw {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;

  constructor(status: number, headers: Record<string, string>, body: Buffer = Buffer.alloc(0)) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export interface Call {
  method: Method;
  /** A path parameter, decoded; a project's number in it is replaced by its id: `projects/p/locations/l/services/s`. */
  at: (name: string) => string;
  /** A query parameter, or undefined. */
  query: (name: string) => string | undefined;
  /** All values of a repeated query parameter. */
  all: (name: string) => string[];
  /** Checked and in canonical form (camelCase names, whole numbers as the schema has them). */
  body: JsonObject;
  /** What was uploaded beside the metadata in `body`; null when nothing was. */
  media: { bytes: Buffer; contentType: string } | null;
  caller: Caller;
  /** The project that the path or query names; null when none is named. */
  project: Project | null;
  /** For links that clients follow, such as `https://storage.googleapis.com` or `http://127.0.0.1:8085`. */
  origin: string;
  headers: IncomingHttpHeaders;
}

/**
 * What is no Google method but answers on the same port: services' own URLs (`*.run.app`), the token endpoint. The first
 * door that opens handles the request alone: token, faults and schemas are not looked at.
 */
export interface Door {
  opens: (host: string, path: string) => boolean;
  handle: (request: IncomingMessage, response: ServerResponse, world: World) => Promise<void> | void;
  /** WebSocket and other upgrades; without it they are refused. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer, world: World) => void;
  stop?: () => Promise<void>;
}
