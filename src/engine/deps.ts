import type { Timetable } from '../domain/schedule/decide-schedule.ts';
import type { Builder } from '../ports/builder.ts';
import type { Certificates } from '../ports/certificates.ts';
import type { Clock } from '../ports/clock.ts';
import type { LastKnown, Unwritten } from '../ports/emergency.ts';
import type { MigrationReader } from '../ports/migrations.ts';
import type { JobRunner, Runtime } from '../ports/runtime.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import type { Traffic } from '../ports/traffic.ts';

export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Where the engine lets instances and jobs write, all absolute. */
export interface Places {
  instanceLog(scope: { project: string; environment: string; service: string; instance: string }): string;
  /** Of every instance of a service there ever was, as far as their logs are kept; oldest first. */
  instanceLogs(scope: {
    project: string;
    environment: string;
    service: string;
  }): Promise<{ instance: string; file: string }[]>;
  jobLog(scope: { project: string; environment: string; job: string }): string;
  /** What the edge was asked. */
  accessLog(scope: { project: string; environment: string }): string;
  /** Copies an HTML page to where nothing happens to it; answers its new path. Throws EvenkeelError `page-unreadable`. */
  keepPage(file: string): Promise<string>;
  /** A service's shared folder, the same for all its releases. */
  data(scope: { project: string; environment: string; service: string; path: string }): string;
  /** The folder of a project itself, whichever links lead there; null when there is no evenkeel.yaml in it (any more). */
  projectFolder(root: string): Promise<string | null>;
}

/** Salted hashes of passwords, slow to make and to check on purpose. */
export interface Passwords {
  hash(password: string): Promise<string>;
  matches(password: string, hash: string): Promise<boolean>;
}

/** What the engine is given; everything that touches the world is in here. */
export interface EngineDeps {
  store: Store;
  runtime: Runtime;
  jobs: JobRunner;
  traffic: Traffic;
  builder: Builder;
  migrations: MigrationReader;
  secrets: Secrets;
  /** Absent: none are issued. */
  certificates?: Certificates;
  passwords: Passwords;
  clock: Clock;
  timetable: Timetable;
  log: Log;
  places: Places;
  /** Short, unique, sortable by time; part of the names of jobs. */
  newId(): string;
  /** Hex digest of a text, for content addresses. */
  digest(text: string): string;
  /** Of this controller, higher than any before; see Store.nextFence. */
  fence: number;
  /** Whether this controller may act at this moment. Whatever acts asks for a permit besides (ports/permit.ts). */
  holds(): boolean;
  /** Another controller has a higher fence: this one must not act any more. */
  onFenced(): void;
  /** For the time in which the store is away. Its `traffic` asks for no permit: what takes back needs the fence alone. */
  emergency: {
    traffic: Traffic;
    unwritten: Unwritten;
    lastKnown: LastKnown;
    /** Wall time, ms: the store could not even be opened, and `store` stands in for it. Null: it was. */
    awaySince: number | null;
  };
}
