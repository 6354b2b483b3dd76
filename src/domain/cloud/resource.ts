/**
 * What a project needs in the cloud, and what is there, in the same words: kinds, names, attributes. `domain/cloud` works
 * the desired ones out and compares; `drivers/cloud` reads and changes the real ones.
 */

/** What each kind says of itself. Sizes in bytes, times in seconds, unless the name says otherwise. */
export interface AttributesByKind {
  /** An API of the project that has to be on, such as `run.googleapis.com` (its name). */
  api: Record<string, never>;
  /** A serverless connector into a network; services reach private addresses through it. */
  connector: { network: string; range: string; minInstances: number; maxInstances: number };
  /** The name is the part before the `@`. */
  account: { displayName: string };
  /** One role of one member in the project's policy; the name is `<account>/<role>`. Other members' are never touched. */
  role: { account: string; role: string };
  /** Container images. */
  repository: { format: 'DOCKER'; keepVersions: number };
  bucket: {
    storageClass: string;
    uniformAccess: boolean;
    /** Whether everybody may read. */
    public: boolean;
    versioning: boolean;
    /** Objects older than this many days are deleted; with prefixes only those below them. Null: never. */
    expire: { days: number; prefixes: string[] } | null;
  };
  'sql-instance': {
    /** Such as `POSTGRES_15`. */
    version: string;
    tier: string;
    availability: 'ZONAL' | 'REGIONAL';
    storageType: 'SSD' | 'HDD';
    storageGb: number;
    autoIncrease: boolean;
    /** `HH:MM`, UTC. */
    backupStart: string;
    backupsKept: number;
    pointInTime: boolean;
    /** Day 1 is Monday; hour UTC. */
    maintenance: { day: number; hour: number };
    flags: Record<string, string>;
    publicAddress: boolean;
    /** Name of the network in which it has a private address, or null. */
    network: string | null;
    deletionProtection: boolean;
  };
  /** Named `<instance>/<database>`. */
  'sql-database': { instance: string; extensions: string[] };
  /** Named `<instance>/<user>`. Its password lives in the secret alone, and nowhere in an attribute. */
  'sql-user': { instance: string; user: string; passwordSecret: string };
  /** Declared; whether it has a value is observed (`hasValue`) and never invented but for a database password. */
  secret: { replication: 'automatic' };
  'audit-logs': { reads: boolean; writes: boolean };
  'log-retention': { days: number };
  'uptime-check': { host: string; path: string; periodS: number };
  /**
   * The threshold of `errors` is a share, of `latency` ms, of `down` the seconds for which nobody outside gets an answer.
   * Channels by name; those that people added in the console are nobody's here, and stay.
   */
  'alert-policy': { service: string; condition: 'errors' | 'latency' | 'down'; threshold: number; channels: string[] };
  /** Whom alerts are sent to. */
  'alert-channel': { email: string };
  /** Of the billing account; the name is that of the project and environment. */
  budget: { amount: number; currency: string; thresholds: number[] };
  /** A service on Cloud Run. It comes with a deploy and goes with a clean-up; set-up never makes one. */
  service: {
    image: string | null;
    memory: number;
    cpu: number;
    minInstances: number;
    maxInstances: number;
    timeoutS: number;
    public: boolean;
    account: string;
    /** `PROJECT:REGION:INSTANCE`, or null when it uses no database. */
    sql: string | null;
  };
  /** Cannot be declared; seen before a clean-up, so that nothing that costs is overlooked. */
  cluster: { nodes: number };
  job: { image: string | null };
}

export type Kind = keyof AttributesByKind;

/** A value of an attribute, as JSON has it. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

export interface ResourceOf<K extends Kind> {
  kind: K;
  /** Unique within its kind and project. */
  name: string;
  /** A region; null for what has none. */
  location: string | null;
  attributes: AttributesByKind[K];
}

/** One that the file asks for. */
export type Desired = { [K in Kind]: ResourceOf<K> & { labels: Labels; needs: Address[] } }[Kind];

/** One that is there. */
export type Observed = {
  [K in Kind]: ResourceOf<K> & {
    labels: Labels;
    /** `changing`: an operation on it has not ended. */
    state: 'ready' | 'changing' | 'stopped' | 'failed';
    /** The provider's own name for it, where that does not follow from `name`: of uptime checks, alert policies and channels, budgets. */
    id?: string;
    /** Of a secret: whether it has a version that can be read. */
    hasValue?: boolean;
    /** Bytes or objects in it, where that can be told cheaply. */
    size?: { bytes: number | null; objects: number | null };
    /** Wall time, ms. */
    createdAt: number | null;
    /** Of a service: where it answers, and all addresses that lead there. */
    url?: string;
    urls?: readonly string[];
    /** Why it failed, as the provider says it. */
    problem?: string;
  };
}[Kind];

/** `kind/name`: how a plan, a dependency and a message name a resource. */
export type Address = `${Kind}/${string}`;

export const addressOf = ({ kind, name }: { kind: Kind; name: string }): Address => `${kind}/${name}`;

export type Labels = Readonly<Record<string, string>>;

/** What evenkeel puts on all that can bear labels: by these alone it knows what is its own. */
export const ownLabels = (scope: { project: string; environment: string }): Labels => ({
  'evenkeel-project': scope.project,
  'evenkeel-environment': scope.environment,
});

export const isOwn = (labels: Labels, scope: { project: string; environment: string }): boolean =>
  Object.entries(ownLabels(scope)).every(([key, value]) => labels[key] === value);
