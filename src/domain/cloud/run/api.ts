/** The part of Cloud Run's API (v2) that rollouts need, in our own types. Everything may be missing in an answer. */

export interface TrafficTarget {
  type?: string;
  revision?: string;
  percent?: number;
  tag?: string;
  /** In statuses: where the tag answers. */
  uri?: string;
}

export interface Condition {
  type?: string;
  state?: string;
  message?: string;
  reason?: string;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueSource?: { secretKeyRef: { secret: string; version: string } };
}

export interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  ports?: { containerPort: number }[];
  resources?: { limits: Record<string, string>; cpuIdle?: boolean; startupCpuBoost?: boolean };
  volumeMounts?: { name: string; mountPath: string }[];
  startupProbe?: unknown;
}

/** What instances and jobs have in common. */
export interface Workload {
  containers: Container[];
  serviceAccount: string;
  timeout: string;
  volumes?: { name: string; cloudSqlInstance: { instances: string[] } }[];
  vpcAccess?: { egress: string; connector?: string; networkInterfaces?: { network: string }[] };
}

export interface RevisionTemplate extends Workload {
  revision: string;
  labels: Record<string, string>;
  scaling: { minInstanceCount: number; maxInstanceCount: number };
  maxInstanceRequestConcurrency: number;
  sessionAffinity: boolean;
}

export interface RunService {
  name?: string;
  uri?: string;
  urls?: string[];
  etag?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  template?: RevisionTemplate;
  traffic?: TrafficTarget[];
  trafficStatuses?: TrafficTarget[];
  scaling?: { scalingMode?: string; manualInstanceCount?: number };
  ingress?: string;
  reconciling?: boolean;
  terminalCondition?: Condition;
  latestReadyRevision?: string;
  latestCreatedRevision?: string;
  updateTime?: string;
}

export interface RunRevision {
  name?: string;
  createTime?: string;
  labels?: Record<string, string>;
  conditions?: Condition[];
}

export interface RunJob {
  name?: string;
  etag?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  executionCount?: number;
  reconciling?: boolean;
  createTime?: string;
  terminalCondition?: Condition;
  latestCreatedExecution?: { name?: string };
}

export interface RunExecution {
  name?: string;
  createTime?: string;
  startTime?: string;
  completionTime?: string;
  succeededCount?: number;
  failedCount?: number;
  cancelledCount?: number;
  conditions?: Condition[];
}

export interface RunTask {
  lastAttemptResult?: { exitCode?: number; termSignal?: number; status?: { message?: string } };
}

export const BY_REVISION = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
export const BY_LATEST = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';

/** `projects/P/locations/R/services/S/revisions/X` -> `X`. */
export const lastPart = (name: string | undefined): string => name?.slice(name.lastIndexOf('/') + 1) ?? '';
