import type {
  DeployReply,
  DeployRequest,
  DownReply,
  JournalView,
  RestartRequest,
  RollbackRequest,
  RolloutEvent,
  RequestReply,
  RolloutRequest,
  RolloutView,
  Scope,
  StatusReply,
} from '../api/contract/contract.ts';
import type { RunRequest, RunView } from '../api/contract/runs.ts';
import type { ScaleRequest, ScaleView } from '../api/contract/scale.ts';
import type { ServerInfo } from '../api/contract/server.ts';
import type { MigrationsReply } from '../api/contract/migrations.ts';
import type { ReleaseView } from '../api/contract/release.ts';
import type { SecretsSet, SecretView } from '../api/contract/secrets.ts';
import type { LogLine } from '../api/contract/logs.ts';
import type { MaintenanceReply, MaintenanceRequest } from '../api/contract/entry.ts';

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Twice is as good as once: asked again when the controller dies with it in its hands. Always so for GET. */
  repeatable?: boolean;
}

/** JSON over the controller's socket. All calls throw EvenkeelErrors; `lines` ends its request when it is left. */
export interface Transport {
  json(request: ApiRequest): Promise<unknown>;
  lines(request: ApiRequest): AsyncIterable<string>;
}

type Query = Record<string, string | number | boolean | null | undefined>;

export interface LogsQuery extends Scope {
  service?: string | undefined;
  release?: string | undefined;
  instance?: string | undefined;
  job?: string | undefined;
  /** Wall time, ms. */
  since?: number | undefined;
  lines?: number | undefined;
  grep?: string | undefined;
  access?: boolean | undefined;
  follow?: boolean | undefined;
}

/** A deploy reads every file of the project before it answers; stopping waits for what still drains. */
const LONG_MS = 120_000;

/** The API by name, as `api/contract` describes it. */
export interface ApiClient {
  server(): Promise<ServerInfo>;
  stopServer(instances: boolean): Promise<void>;
  restartEdge(): Promise<{ ok: boolean; reason: string }>;
  deploy(request: DeployRequest): Promise<DeployReply>;
  /** What a deploy of this project would find in its new migrations. */
  migrations(project: unknown): Promise<MigrationsReply>;
  down(scope: Scope): Promise<DownReply>;
  maintenance(request: MaintenanceRequest): Promise<MaintenanceReply>;
  rollback(request: RollbackRequest): Promise<DeployReply>;
  restart(request: RestartRequest): Promise<DeployReply>;
  status(scope: Partial<Scope>): Promise<StatusReply>;
  rollouts(query: Partial<Scope> & { service?: string; limit?: number }): Promise<RolloutView[]>;
  rollout(id: string): Promise<RolloutView>;
  story(id: string): Promise<JournalView[]>;
  request(id: string, request: RolloutRequest): Promise<RequestReply>;
  /** Journal lines after `after`, then live; null now and then, as a sign of life. */
  events(id: string, after: number, signal: AbortSignal): AsyncGenerator<RolloutEvent | null>;
  releases(query: Scope & { service?: string; limit?: number }): Promise<ReleaseView[]>;
  logs(query: LogsQuery, signal: AbortSignal): AsyncGenerator<LogLine | null>;
  run(request: RunRequest): Promise<RunView>;
  cancelRun(request: RunRequest): Promise<RunView>;
  runs(query: Scope & { service?: string; limit?: number }): Promise<RunView[]>;
  oneRun(scope: Scope, run: Pick<RunView, 'service' | 'dueAt'>): Promise<RunView>;
  scale(query: Scope & { service: string }): Promise<ScaleView>;
  setScale(request: ScaleRequest): Promise<ScaleView>;
  secrets(scope: Scope): Promise<SecretView[]>;
  /** All of them or none. */
  setSecrets(request: Scope & { by: string; secrets: Record<string, string> }): Promise<SecretsSet>;
  removeSecret(secret: Scope & { name: string }): Promise<boolean>;
}

export function apiClient(transport: Transport): ApiClient {
  const json = (request: ApiRequest): Promise<unknown> => transport.json(request);
  const lines = (request: ApiRequest): AsyncIterable<string> => transport.lines(request);
  const get = async <T>(path: string, query: Query = {}): Promise<T> =>
    (await json({ path: withQuery(path, query) })) as T;
  const post = async <T>(path: string, body: unknown, repeatable = false): Promise<T> =>
    (await json({ method: 'POST', path, body, timeoutMs: LONG_MS, repeatable })) as T;
  const rollout = (id: string): string => `/v1/rollouts/${encodeURIComponent(id)}`;

  return {
    server: () => get('/v1/server'),
    stopServer: async (instances) => void (await post('/v1/server/stop', { instances })),
    restartEdge: () => post('/v1/server/restart-edge', {}, true),
    deploy: (request) => post('/v1/deploy', request),
    migrations: (project) => post('/v1/migrations', { project }, true),
    down: (scope) => post('/v1/down', scope, true),
    maintenance: (request) => post('/v1/maintenance', request, true),
    // Who is back already is not taken back further.
    rollback: (request) => post('/v1/rollback', request, true),
    restart: (request) => post('/v1/restart', request),
    status: (scope) => get('/v1/status', { ...scope }),
    rollouts: async (query) => (await get<{ rollouts: RolloutView[] }>('/v1/rollouts', query)).rollouts,
    rollout: (id) => get(rollout(id)),
    story: async (id) => (await get<{ entries: JournalView[] }>(`${rollout(id)}/story`)).entries,
    // An approval is one person's, and a second one would be refused.
    request: (id, request) => post(`${rollout(id)}/requests`, request, request.kind !== 'approve'),
    events: (id, after, signal) => parsed(lines({ path: withQuery(`${rollout(id)}/events`, { after }), signal })),
    releases: async (query) => (await get<{ releases: ReleaseView[] }>('/v1/releases', query)).releases,
    logs: (query, signal) => parsed(lines({ path: withQuery('/v1/logs', { ...query }), signal })),
    run: (request) => post('/v1/runs', request),
    cancelRun: (request) => post('/v1/runs/cancel', request),
    runs: async (query) => (await get<{ runs: RunView[] }>('/v1/runs', query)).runs,
    oneRun: (scope, { service, dueAt }) => get(`/v1/runs/${encodeURIComponent(service)}/${dueAt}`, { ...scope }),
    scale: (query) => get('/v1/scale', query),
    setScale: (request) => post('/v1/scale', request, true),
    secrets: async (scope) => (await get<{ secrets: SecretView[] }>('/v1/secrets', { ...scope })).secrets,
    setSecrets: async (request) => (await json({ method: 'PUT', path: '/v1/secrets', body: request })) as SecretsSet,
    removeSecret: async (secret) =>
      ((await json({ method: 'DELETE', path: withQuery('/v1/secrets', { ...secret }) })) as { removed: boolean })
        .removed,
  };
}

async function* parsed<T>(lines: AsyncIterable<string>): AsyncGenerator<T | null> {
  for await (const line of lines) yield line === '' ? null : (JSON.parse(line) as T);
}

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== false) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}
