import { randomUUID } from 'node:crypto';
import type { World } from '../core/world.ts';
import { isObject, made, type JsonObject } from '../json.ts';
import { placeOf, shortName } from './names.ts';
import type { Execution, Revision } from './shapes.ts';

export interface RequestLog {
  method: string;
  url: string;
  status: number;
  latencyMs: number;
  userAgent: string | undefined;
  remoteIp: string;
  instance: string | null;
}

const SEVERITIES = new Set([
  'DEFAULT',
  'DEBUG',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'CRITICAL',
  'ALERT',
  'EMERGENCY',
]);

/** What programs say, and what was asked of them, as entries of Cloud Logging. */
export class RunLogs {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  line(revision: Revision, stream: 'stdout' | 'stderr', line: string, instance: string): void {
    this.#write(revisionResource(revision), revision.name, stream, {
      ...payloadOf(line),
      labels: { instanceId: instance },
    });
  }

  /** What Cloud Run itself has to say about a revision. */
  system(revision: Revision, severity: 'INFO' | 'WARNING' | 'ERROR', text: string): void {
    this.#write(revisionResource(revision), revision.name, 'varlog/system', { severity, textPayload: text });
  }

  request(revision: Revision, request: RequestLog): void {
    const { status } = request;
    this.#write(revisionResource(revision), revision.name, 'requests', {
      severity: status >= 500 ? 'ERROR' : status >= 400 ? 'WARNING' : 'INFO',
      httpRequest: made({
        requestMethod: request.method,
        requestUrl: request.url,
        status,
        latency: `${(request.latencyMs / 1000).toFixed(9)}s`,
        userAgent: request.userAgent,
        remoteIp: request.remoteIp,
        protocol: 'HTTP/1.1',
      }),
      labels: made({ instanceId: request.instance ?? undefined }),
    });
  }

  task(execution: Execution, stream: 'stdout' | 'stderr', line: string, index: number, attempt: number): void {
    const { project, region } = placeOf(execution.name);
    const resource = {
      type: 'cloud_run_job',
      labels: { project_id: project, job_name: execution.job, location: region },
    };
    const labels = {
      'run.googleapis.com/execution_name': shortName(execution.name),
      'run.googleapis.com/task_index': String(index),
      'run.googleapis.com/task_attempt': String(attempt),
    };
    this.#write(resource, execution.name, stream, { ...payloadOf(line), labels });
  }

  #write(resource: JsonObject, name: string, log: string, entry: JsonObject): void {
    const at = this.#world.signals.moment(this.#world.now());
    this.#world.signals.log({
      logName: `projects/${placeOf(name).project}/logs/${encodeURIComponent(`run.googleapis.com/${log}`)}`,
      resource,
      insertId: randomUUID().replaceAll('-', '').slice(0, 20),
      timestamp: at,
      receiveTimestamp: at,
      ...entry,
    });
  }
}

export function revisionResource(revision: Revision): { type: string; labels: Record<string, string> } {
  const { project, region } = placeOf(revision.name);
  return {
    type: 'cloud_run_revision',
    labels: {
      project_id: project,
      location: region,
      service_name: revision.service,
      configuration_name: revision.service,
      revision_name: shortName(revision.name),
    },
  };
}

/** A line that is a JSON object is an entry with fields; its severity and message are taken as Cloud Logging takes them. */
function payloadOf(line: string): JsonObject {
  const json = parsed(line);
  if (json === null) return { textPayload: line };
  const { severity, ...rest } = json;
  const known = typeof severity === 'string' && SEVERITIES.has(severity.toUpperCase());
  const { message } = rest;
  const payload: JsonObject =
    typeof message === 'string' && Object.keys(rest).length === 1 ? { textPayload: message } : { jsonPayload: rest };
  return { ...payload, ...(known ? { severity: severity.toUpperCase() } : {}) };
}

function parsed(line: string): JsonObject | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
