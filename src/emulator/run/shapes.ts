/** Resources of Cloud Run as v2 writes them; this is also how they are kept. Times are RFC 3339. */
export interface EnvVar {
  name: string;
  value?: string;
  valueSource?: { secretKeyRef?: { secret?: string; version?: string } };
}

export interface Probe {
  initialDelaySeconds?: number;
  timeoutSeconds?: number;
  periodSeconds?: number;
  failureThreshold?: number;
  httpGet?: { path?: string; port?: number; httpHeaders?: { name?: string; value?: string }[] };
  tcpSocket?: { port?: number };
  grpc?: { port?: number; service?: string };
}

export interface Container {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  resources?: { limits?: Record<string, string>; cpuIdle?: boolean; startupCpuBoost?: boolean };
  ports?: { name?: string; containerPort?: number }[];
  volumeMounts?: { name?: string; mountPath?: string }[];
  workingDir?: string;
  startupProbe?: Probe;
  livenessProbe?: Probe;
}

export interface Volume {
  name?: string;
  secret?: { secret?: string; items?: { path?: string; version?: string }[] };
  cloudSqlInstance?: { instances?: string[] };
}

/** What revisions and tasks have in common. */
export interface Program {
  containers?: Container[];
  volumes?: Volume[];
  serviceAccount?: string;
  /** Such as `300s`. */
  timeout?: string;
}

export interface Template extends Program {
  revision?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  scaling?: { minInstanceCount?: number; maxInstanceCount?: number };
  maxInstanceRequestConcurrency?: number;
  sessionAffinity?: boolean;
}

export interface Condition {
  type: string;
  state: 'CONDITION_PENDING' | 'CONDITION_RECONCILING' | 'CONDITION_FAILED' | 'CONDITION_SUCCEEDED';
  message?: string;
  lastTransitionTime?: string;
  severity?: string;
  reason?: string;
  revisionReason?: string;
  executionReason?: string;
}

export const LATEST = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';
export const BY_REVISION = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';

export interface TrafficTarget {
  type?: string;
  /** Short name. */
  revision?: string;
  percent?: number;
  tag?: string;
}

export interface TrafficStatus extends TrafficTarget {
  uri?: string;
}

interface Resource {
  /** The whole name, `projects/p/locations/l/services/s`. */
  name: string;
  uid: string;
  /** int64, as text. */
  generation: string;
  observedGeneration?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  createTime: string;
  updateTime: string;
  creator?: string;
  lastModifier?: string;
  etag: string;
  reconciling?: boolean;
  conditions?: Condition[];
}

export interface Service extends Resource {
  description?: string;
  client?: string;
  clientVersion?: string;
  ingress?: string;
  launchStage?: string;
  template: Template;
  traffic: TrafficTarget[];
  scaling?: {
    minInstanceCount?: number;
    maxInstanceCount?: number;
    scalingMode?: string;
    manualInstanceCount?: number;
  };
  invokerIamDisabled?: boolean;
  defaultUriDisabled?: boolean;
  terminalCondition?: Condition;
  /** Whole names of revisions. */
  latestCreatedRevision?: string;
  latestReadyRevision?: string;
  trafficStatuses?: TrafficStatus[];
  uri: string;
  urls: string[];
}

export interface Revision extends Resource, Omit<Template, 'labels' | 'annotations' | 'revision'> {
  /** Short name of its service. */
  service: string;
  logUri?: string;
}

export interface Job extends Resource {
  client?: string;
  clientVersion?: string;
  launchStage?: string;
  template: ExecutionTemplate;
  terminalCondition?: Condition;
  executionCount?: number;
  latestCreatedExecution?: { name: string; createTime: string; completionTime?: string; completionStatus: string };
}

export interface ExecutionTemplate {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taskCount?: number;
  parallelism?: number;
  template?: TaskTemplate;
}

export interface TaskTemplate extends Program {
  maxRetries?: number;
}

export interface Execution extends Resource {
  job: string;
  startTime?: string;
  completionTime?: string;
  taskCount: number;
  parallelism: number;
  runningCount?: number;
  succeededCount?: number;
  failedCount?: number;
  cancelledCount?: number;
  retriedCount?: number;
  template: TaskTemplate;
  logUri?: string;
}

export interface Task extends Resource, TaskTemplate {
  job: string;
  execution: string;
  index?: number;
  retried?: number;
  scheduledTime?: string;
  startTime?: string;
  completionTime?: string;
  lastAttemptResult?: { exitCode?: number; termSignal?: number; status?: { code?: number; message?: string } };
  logUri?: string;
}
