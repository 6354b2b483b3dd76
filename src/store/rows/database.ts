import type { AccessTables } from './access-tables.ts';

/** The tables as both databases hold them: text, numbers, 0/1, JSON as text. What a column means stands in migrations/. */
export interface Database extends AccessTables {
  counters: { name: string; value: number };
  leases: { name: string; holder: string; about: string; fence: number; expires_at: number };
  environments: {
    project: string;
    environment: string;
    wanted: string;
    config: string;
    config_digest: string;
    updated_at: number;
  };
  release_numbers: { project: string; service: string; number: number };
  releases: ReleaseRow;
  deployments: DeploymentRow;
  addresses: { project: string; environment: string; release: string; service: string; port: number };
  rollouts: RolloutRow;
  rollout_services: {
    rollout: string;
    project: string;
    environment: string;
    service: string;
    ordinal: number;
    blocking: Flag;
  };
  schedules: {
    project: string;
    environment: string;
    service: string;
    spec: string;
    through: number;
    fence: number;
  };
  runs: RunRow;
  scales: {
    project: string;
    environment: string;
    service: string;
    instances: number;
    changed_at: number;
    override_min: number | null;
    override_max: number | null;
    override_by: string | null;
    override_basis: string | null;
    fence: number;
  };
  scale_changes: {
    project: string;
    environment: string;
    service: string;
    at: number;
    from_instances: number | null;
    to_instances: number;
    reason: string;
  };
  journal: JournalRow;
  requests: RequestRow;
  audit: AuditRow;
  idempotency_keys: {
    who: string;
    key_digest: string;
    operation: string;
    content: string;
    at: number;
    fence: number;
    answer: string | null;
  };
}

export interface AuditRow {
  seq: number;
  id: string;
  at: number;
  kind: string;
  about: string | null;
  identity: string;
  who: string;
  source: string;
  operation: string;
  organization: string | null;
  project: string | null;
  environment: string | null;
  service: string | null;
  rollout: string | null;
  result: string | null;
  code: string | null;
  detail: string;
  former: string;
  hash: string;
}

/** Booleans are numbers in both databases; a boolean is refused at binding. */
export type Flag = 0 | 1;

export const flag = (value: boolean): Flag => (value ? 1 : 0);

export interface ReleaseRow {
  project: string;
  id: string;
  environment: string;
  service: string;
  number: number;
  ordinal: number;
  source: string;
  artifact: string | null;
  config_digest: string;
  config: string;
  created_by: string;
  created_at: number;
}

export interface DeploymentRow {
  project: string;
  environment: string;
  service: string;
  current_release: string | null;
  former_release: string | null;
  contracted_release: string | null;
  internal_port: number | null;
  preview_port: number | null;
}

export interface RolloutRow {
  id: string;
  ordinal: number;
  project: string;
  environment: string;
  phase: string;
  end_state: string | null;
  settled: Flag;
  live: Flag;
  fence: number;
  version: number;
  journal_seq: number;
  request_seq: number;
  created_at: number;
  state: string;
}

export interface RunRow {
  project: string;
  environment: string;
  service: string;
  due_at: number;
  asked_by: string | null;
  release: string | null;
  state: string;
  started_at: number | null;
  ended_at: number | null;
  reason: string;
  cancelled_by: string | null;
  fence: number;
}

export interface JournalRow {
  rollout: string;
  seq: number;
  at: number;
  from_state: string | null;
  to_state: string;
  reason: string;
  detail: string;
  fence: number;
}

export interface RequestRow {
  rollout: string;
  seq: number;
  kind: string;
  requested_by: string;
  human: string | null;
  at: number;
  comment: string | null;
  force: Flag;
}
