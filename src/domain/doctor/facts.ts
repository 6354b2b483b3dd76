import type { CertificateSeen } from '../traffic/tls.ts';

/** What was found on a machine and in a home, as it is. What it means is said by `findingsOf`. Times are ms since 1970. */
export interface Facts {
  now: number;
  host: HostFacts;
  home: HomeFacts;
  server: ServerFacts;
  work: WorkFacts;
  /** Null: there is no such file. */
  signIn: SignInFacts | null;
  /** Null outside of a project. */
  project: ProjectFacts | null;
}

/** The file that says who signs in elsewhere. */
export interface SignInFacts {
  path: string;
  /** One line each. */
  problems: string[];
  providers: number;
  issuers: number;
  /** Permission bits for others than its owner to write it. */
  writable: boolean;
}

export interface HostFacts {
  platform: string;
  kernel: string;
  node: string;
  /** The oldest major version that works. */
  nodeWanted: number;
  cores: number;
  /** Bytes; null when the kernel does not say. */
  memory: { total: number; available: number } | null;
  cgroups: { memory: boolean; cpu: boolean; why: string | null };
  /** As it names itself; null when it cannot be run. */
  git: string | null;
  shell: boolean;
  /** Whether programs can be started as other users, and those be kept from each other's ports; why not. Asked as root. */
  users?: { root: boolean; why: string | null; whyNoPorts: string | null };
  bootedAt: number | null;
  /** When the files of this evenkeel were written. */
  installedAt: number | null;
}

export type Role =
  | 'home'
  | 'sockets'
  | 'certificates'
  | 'token'
  | 'probe token'
  | 'store'
  | 'secrets'
  | 'key of the secrets';

export interface Place {
  role: Role;
  path: string;
  kind: 'folder' | 'file' | 'other' | 'absent' | 'unreadable';
  uid: number;
  /** Permission bits. */
  mode: number;
  writable: boolean;
  /** Bytes. */
  size: number;
}

export interface HomeFacts {
  path: string;
  /** The user that asks; null where there are none. */
  uid: number | null;
  places: Place[];
  keyInHome: boolean;
  /** Null when it cannot be asked. */
  disk: { free: number; total: number; freeInodes: number; inodes: number } | null;
  /** Room kept for a full disk: null when there was never a server here. */
  reserve: boolean | null;
  /** The file with the latest time. */
  newest: { path: string; at: number } | null;
  /** Files that should hold JSON and do not. */
  torn: string[];
  /** The store begins like a database; null without a store. */
  storeIsDatabase: boolean | null;
}

/** `stopped` was halted by a signal and does nothing. */
export type ProcessState = 'alive' | 'stopped' | 'dead';

export interface ServerFacts {
  /** Of the command that asks. */
  version: string;
  /** As the last keeper wrote them down; null when there was none. */
  processes: {
    keeper: { pid: number; state: ProcessState; version: string; startedAt: number };
    controller: { pid: number; state: ProcessState } | null;
    edge: { pid: number; state: ProcessState } | null;
    /** Those that wait to take over. */
    standingBy: { pid: number; state: ProcessState }[];
    /** How many controllers there ought to be. */
    controllersWanted: number;
    controllerFailures: number;
    /** Those of them whose memory a crash would leave in a file. */
    dumpingCore?: string[];
  } | null;
  answer:
    | { kind: 'none' }
    /** It was asked and did not answer, or refused. */
    | { kind: 'silent'; why: string }
    | {
        kind: 'answer';
        version: string;
        edge: boolean;
        /** One entry for each of its databases; null `why` is a sound one. */
        databases: { file: string; why: string | null }[];
        /** Requests that were carried out while the store was away, and are still to be written. */
        unwritten: number;
        storeAway: boolean;
        /** Null when the server is too old to say. */
        environments: { project: string; environment: string; wanted: 'up' | 'down' }[] | null;
      };
}

export interface WorkFolder {
  kind: 'instance' | 'job';
  /** Of the folder. */
  name: string;
  path: string;
  /** Whose it is; null when its record does not say, as for jobs. */
  scope: { project: string; environment: string } | null;
  state: 'living' | 'ended' | 'lost' | 'nothing';
  pid: number | null;
  /** When it was started, or the folder made. */
  since: number;
}

export interface WorkFacts {
  folders: WorkFolder[];
  /** Processes that say they belong to a folder of this home which is not there. */
  strays: { pid: number; folder: string }[];
  /** What removals and builds that were cut short left behind. */
  leftovers: { path: string; at: number }[];
}

export interface PortFact {
  port: number;
  bind: string;
  state: 'free' | 'ours' | 'taken' | 'refused';
  /** The system's word for it, such as EACCES. */
  code: string | null;
}

export interface ProjectFacts {
  name: string;
  environment: string;
  root: string;
  ports: PortFact[];
  repository: boolean;
  /** Null: nothing is served over TLS. */
  tls: TlsFacts | null;
  /** Programs that its commands begin with and that are not in PATH. */
  missing: { program: string; services: string[] }[];
}

export interface TlsFacts {
  /** Of all routes. */
  hosts: string[];
  given: GivenCertificate[];
  /** Those that evenkeel gets, as they are on disk. */
  issued: IssuedCertificate[];
  /** What the issuer is to be trusted by and cannot be read. */
  issuerFile: { path: string; code: string } | null;
}

export interface GivenCertificate extends CertificateSeen {
  key: string;
  /** `alone`: what it was signed by is not in the file; `broken`: the second in the file did not sign the first. */
  chain: 'whole' | 'alone' | 'broken';
  /** Others may read the key. */
  exposed: boolean;
}

export interface IssuedCertificate {
  host: string;
  installed: { notBefore: number; notAfter: number } | null;
  lastFailure: { why: string; next: string | null } | null;
}
