import type { Door } from './doors.ts';
import type { Changes } from './changes/changes.ts';
import type { Standing } from './contract/server.ts';
import type { Identity } from '../domain/access/identity.ts';
import type { Project } from '../domain/project/project.ts';
import type { Auditor } from '../engine/audit/auditor.ts';
import type { Hurry } from '../engine/audit/hurry.ts';
import type { AccessDeps } from '../engine/access/deps.ts';
import type { OidcSignIn } from '../engine/access/oidc.ts';
import type { Engine } from '../engine/engine.ts';
import type { Accounts } from '../ports/accounts.ts';
import type { LogReader } from '../ports/logs.ts';
import type { Telemetry } from '../ports/store.ts';

/** What the API is given. Engine and its drivers come together in `engine.deps`. */
export interface ApiDeps {
  engine: Engine;
  audit: Auditor;
  hurry: Hurry;
  /** Users, sessions and tokens; loaded when they are first asked for. */
  access(): Promise<AccessDeps>;
  /** Who is behind a token of an issuer that the operator trusts; null: nobody. Absent: none is trusted. */
  recogniseJwt?: (text: string) => Promise<Identity | null>;
  /** Signing in with OpenID Connect, opened with the first who does. Absent: nobody does. */
  oidc?: { readonly publicUrl: string; open(): Promise<OidcSignIn> };
  /** Elsewhere one can sign in. */
  providers: readonly { readonly id: string; readonly name: string; readonly issuer: string }[];
  /** How the dashboard is reached: by which address, and whether by https. Null: it is off. */
  webAddress(): Promise<string | null>;
  door: Door;
  /** So often is asked anew whether whoever follows a stream still may, ms. Default 10 s. */
  stillEveryMs?: number;
  /** So many streams one person or token may have open. Default 300. */
  streamsOfOne?: number;
  /** How long a reader of a stream may leave what it was given unread, ms. Default: a minute. */
  patienceMs?: number;
  /** People come by https, whatever the last hop is. */
  secure: boolean;
  /** As what services run on this machine. */
  accounts: Accounts;
  /** Takes what is known of secrets out of a text. */
  redact(text: string): Promise<string>;
  telemetry: Telemetry;
  /** Closed by whoever made it. */
  changes: Changes;
  logs: LogReader;
  /** Checks a project that a client sent; throws with what is wrong. */
  parseProject(value: unknown): Project;
  /** What a client must present as a bearer token. */
  token: string;
  /** The folder that the dashboard is built into; absent: none is served. */
  dashboard?: string;
  server: { version: string; pid: number; startedAt: number; home: string };
  /** Throws EvenkeelError `not-acting` once another controller acts: whoever asks is to ask that one. */
  mayAnswer(): void;
  /** Who of several controllers acts. */
  standing(): Promise<Standing>;
  /** What is wrong with each database; null for a sound one. Reads them whole. */
  checkDatabases(): { file: string; why: string | null }[];
  /** Ends keeper, edge and controller. Called after the reply was sent. */
  stopServer(): void;
  /** Puts a new edge in the place of the present one, without a lost connection. */
  restartEdge(): Promise<{ ok: boolean; reason: string }>;
}
