import type { AcmeConfig } from '../certificate/acme.ts';
import type { CloudConfig } from '../cloud/config.ts';
import type { CloudRunConfig } from '../cloud/run/config.ts';
import type { EntryConfig, MaintenanceSwitch } from './entry.ts';
import type { WrittenObjectives } from './objectives.ts';

/**
 * A project as evenkeel works with it: one `evenkeel.yaml`, resolved for one environment. `config/` produces these
 * shapes, everything else only reads them. Every duration is in milliseconds, every size in bytes, every weight in
 * percent; `null` means "not given".
 */

/**
 * What a service is, derived from its keys: `static` has a folder, `http` can be asked over HTTP (it has `routes`,
 * `health`, `port`, or another service uses its url), `worker` only runs.
 */
export type ServiceKind = 'http' | 'static' | 'worker';

/** A value of `env`, in pieces: what is known now as text, what is only known when an instance starts as a reference. */
export type EnvPart =
  | string
  /**
   * Resolved by the secrets driver when an instance or job starts; never stored, never shown. A release names the
   * `version` of the value that it was begun with; see domain/release/secret-versions.ts.
   */
  | { secret: string; version?: string | undefined }
  /** The stable internal address of another service, such as `http://127.0.0.1:20003`. */
  | { serviceUrl: string }
  /** The port that this instance was given. */
  | { port: true };

export type EnvTemplate = Record<string, EnvPart[]>;

export interface Route {
  /** Lower-case host name, or null for any host. */
  host: string | null;
  /** Starts with `/`, has no trailing slash but for `/` itself; matches whole path segments. */
  path: string;
}

export interface HealthConfig {
  /** Asked with GET; null means that an accepted TCP connection is healthy. */
  path: string | null;
  /** After a start, failures within this time do not count. */
  graceMs: number;
  /** Healthy twice in a row within this time of the start, or the release fails. */
  deadlineMs: number;
  intervalMs: number;
  /** For one check. */
  timeoutMs: number;
}

export type SmokeCheck =
  | { kind: 'http'; method: string; path: string; status: number; bodyIncludes: string | null }
  | { kind: 'command'; command: string };

export interface Resources {
  /** Bytes, or null for no limit. */
  memory: number | null;
  /** Cores, may be fractional, or null for no limit. */
  cpu: number | null;
  /** Most processes and threads at once; absent: no limit. */
  processes?: number | undefined;
  /** Most files that one process has open; absent: as the system has it. */
  openFiles?: number | undefined;
}

/** How a service follows its load. */
export interface ScaleConfig {
  /** Most instances. */
  max: number;
  /** Requests in progress that one instance should have. */
  concurrency: number;
  /** Share of its cores that one instance should use, 0..1. */
  cpu: number;
  /** How long fewer must have been enough before one is taken away. */
  cooldownMs: number;
}

/** When a service runs as a job. */
export interface Schedule {
  /** Cron expressions of five fields, or short forms such as `@daily`; it runs whenever one of them says so. */
  at: string[];
  /** IANA name, such as `Europe/Berlin`. */
  timeZone: string;
  /** How late a run may begin when evenkeel was away at its time. */
  lateMs: number;
  /** One that takes longer is ended. */
  deadlineMs: number;
}

export interface CanaryStep {
  /** Percent of sessions, 1..100. */
  weight: number;
  forMs: number;
}

export interface AnalysisLimits {
  /** Highest accepted share of bad requests, 0..1, or null. */
  errorRate: number | null;
  /** Highest accepted 95th percentile of the time to first byte, or null. */
  p95Ms: number | null;
  /** Requests of the new release without which nothing passes; null: as many as a plainly broken one would show in. */
  minRequests: number | null;
}

export type OnInconclusive = 'pause' | 'promote' | 'abort';

/** Phases that have a deadline of their own; `watching` ends by the window, `canary` by its steps. */
export interface PhaseDeadlines {
  buildingMs: number;
  startingMs: number;
  migratingMs: number;
  verifyingMs: number;
  promotingMs: number;
}

export interface RolloutPolicy {
  /** Empty: no canary, straight from verifying to promoting. */
  canary: CanaryStep[];
  analysis: AnalysisLimits;
  onInconclusive: OnInconclusive;
  rollbackWindowMs: number;
  /** Percent of sessions that stay with the former release during the window, for comparison; 0 for none. */
  holdback: number;
  /** How long a stopped release may finish what it has. */
  drainMs: number;
  deadlines: PhaseDeadlines;
  /** A pause longer than this aborts. */
  pauseMs: number;
  /** Old releases kept, cold, beside the current one. */
  keepReleases: number;
  /** Leave the instances of a failed release running (without traffic) for a look at them. */
  keepFailed: boolean;
}

export interface MigrationsConfig {
  /** Relative to `dir`; null: found by the shapes that tools give them. */
  folders: string[] | null;
  /** What is done about a statement that the running release may not survive. */
  breaking: 'refuse' | 'warn' | 'off';
}

/** One service, resolved for one environment. Its canonical JSON is what the config digest covers. */
export interface ServiceConfig {
  name: string;
  kind: ServiceKind;
  /** Folder, relative to the project's root, in which commands run; `.` is the root. */
  dir: string;
  build: string | null;
  run: string | null;
  migrate: string | null;
  /** How the files of `migrate` are looked at; absent as long as nothing is written, like `contract`. */
  migrations?: MigrationsConfig | undefined;
  /** Run once after the rollback window, to take away what only older releases needed. */
  contract?: string | undefined;
  /** Asked of the new release, through the edge, before it takes traffic. */
  smoke: SmokeCheck[];
  /** A command that must exit 0 before a service without routes counts as verified. */
  check: string | null;
  static: { dir: string; spa: boolean } | null;
  health: HealthConfig;
  instances: number;
  /** It follows its load, from `instances` on. Absent: it has so many. */
  scale?: ScaleConfig | undefined;
  /** `false`: two copies of it, of whichever releases, must never run at once. Absent: they may. */
  overlap?: false | undefined;
  /** It runs as a job at these times, and not in between. Absent: it runs all the time. */
  schedule?: Schedule | undefined;
  /** For one request, from its last byte up to the first byte of the answer. */
  timeoutMs: number;
  env: EnvTemplate;
  routes: Route[];
  /** Services that must be verified before this one starts. */
  after: string[];
  resources: Resources;
  /** As whom its commands run: a user of the machine, or `dynamic`; absent: as evenkeel itself. */
  user?: string | undefined;
  /** Folders, relative to `dir`, shared by all releases. */
  data: string[];
  /** Time between SIGTERM and SIGKILL. */
  stopGraceMs: number;
  /** It runs on Cloud Run, as said here. Absent: on this machine. */
  cloud?: CloudRunConfig | undefined;
  rollout: RolloutPolicy;
}

/** Where the edge opens the public routes of an environment. */
export interface Listen {
  /** The edge's public port for this environment. */
  port: number;
  /** The address that the public port binds, such as `0.0.0.0` or `127.0.0.1`. */
  bind: string;
}

/** The public routes over TLS, beside the plain ones. Not part of any release: a change holds at once. */
export interface TlsConfig {
  port: number;
  /** Absolute paths of PEM files. The first is for clients that name no host that any of them is for. */
  certificates: { cert: string; key: string }[];
  /** Whether clients that ask in plain are sent to TLS. */
  redirect: boolean;
  hsts: 'off' | 'on' | 'preload';
  /** Certificates are got for the hosts of the routes, and `certificates` is empty. */
  acme?: AcmeConfig | undefined;
}

export interface EnvironmentConfig extends Listen {
  name: string;
  domain: string | null;
  approve: { people: number };
  tls?: TlsConfig | undefined;
  /** Absent: nothing is said about it. */
  entry?: EntryConfig | undefined;
  /** Of the services of which the file says something; absent: of none. */
  objectives?: WrittenObjectives[] | undefined;
  /** Never in a file; see `evenkeel maintenance`. */
  switched?: MaintenanceSwitch | undefined;
}

export interface Project {
  name: string;
  /** Absolute folder of `evenkeel.yaml`. */
  root: string;
  environment: EnvironmentConfig;
  /** By name, in dependency order (`after`, then as written). */
  services: ServiceConfig[];
  /** Names that may be used as `${NAME}` in `env` and come from the secrets store. */
  secrets: string[];
  /** What is in the cloud; absent: nothing. Not part of any release. */
  cloud?: CloudConfig | undefined;
}
