import type { Standing } from './contract/server.ts';
import type { Project } from '../domain/project/project.ts';
import type { Engine } from '../engine/engine.ts';
import type { LogReader } from '../ports/logs.ts';
import type { Telemetry } from '../ports/store.ts';

/** What the API is given. Engine and its drivers come together in `engine.deps`. */
export interface ApiDeps {
  engine: Engine;
  telemetry: Telemetry;
  logs: LogReader;
  /** Checks a project that a client sent; throws with what is wrong. */
  parseProject(value: unknown): Project;
  /** What a client must present as a bearer token. */
  token: string;
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
