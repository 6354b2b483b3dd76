import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudLogEntry, CloudLogQuery, CloudLogs } from '../../../ports/cloud-logs.ts';
import type { Google } from './google.ts';

interface Entry {
  timestamp?: string;
  receiveTimestamp?: string;
  insertId?: string;
  severity?: string;
  textPayload?: string;
  jsonPayload?: Record<string, unknown>;
  httpRequest?: { requestMethod?: string; requestUrl?: string; status?: number; latency?: string };
  protoPayload?: { status?: { message?: string }; methodName?: string };
  resource?: { labels?: Record<string, string> };
}

const URL = 'https://logging.googleapis.com/v2/entries:list';
/** ms; entries arrive out of order, so each look goes back this far and leaves out what was shown. */
const OVERLAP = 30_000;
/** ms; reading is bounded to 60 requests a minute. */
const PAUSE = 2_000;
const PAGE = 1000;
const PROGRAMS = ['run.googleapis.com%2Fstdout', 'run.googleapis.com%2Fstderr'] as const;

export const cloudLogs = (google: Google): CloudLogs => ({
  async *read(query) {
    const shown = new Map<string, number>();
    let newest = query.since;
    const fresh = (entries: readonly Entry[]): CloudLogEntry[] =>
      entries.flatMap((entry) => {
        const id = `${entry.timestamp ?? ''}/${entry.insertId ?? ''}`;
        const line = entryOf(entry);
        if (shown.has(id) || line.at < query.since) return [];
        shown.set(id, line.at);
        newest = Math.max(newest, line.at);
        return [line];
      });
    if (query.lines > 0)
      yield* fresh((await list(google, query, { from: query.since, newestFirst: query.lines })).toReversed());
    while (query.follow && !query.signal.aborted) {
      yield* fresh(await list(google, query, { from: Math.max(query.since, newest - OVERLAP) }));
      query.caughtUp?.();
      for (const [id, at] of shown) if (at < newest - 2 * OVERLAP) shown.delete(id);
      await sleep(Math.min(PAUSE, google.http.pace * 4), undefined, { signal: query.signal }).catch(() => {});
    }
  },
});

async function list(
  { http, scope }: Google,
  { names, signal, programsOnly = false }: CloudLogQuery,
  { from, newestFirst }: { from: number; newestFirst?: number },
): Promise<Entry[]> {
  const any = names.map((name) => `"${name}"`).join(' OR ');
  const filter = [
    `((resource.type="cloud_run_revision" AND resource.labels.service_name=(${any}))`,
    ` OR (resource.type="cloud_run_job" AND resource.labels.job_name=(${any})))`,
    programsOnly
      ? ` AND logName=(${PROGRAMS.map((log) => `"projects/${scope.cloudProject}/logs/${log}"`).join(' OR ')})`
      : '',
    ` AND resource.labels.location="${scope.region}" AND timestamp>="${new Date(from).toISOString()}"`,
  ].join('');
  const found: Entry[] = [];
  for (let pageToken: string | undefined; ;) {
    const answer = await http.request<{ entries?: Entry[]; nextPageToken?: string }>('POST', URL, {
      body: {
        resourceNames: [`projects/${scope.cloudProject}`],
        filter,
        orderBy: newestFirst === undefined ? 'timestamp asc' : 'timestamp desc',
        pageSize: Math.min(PAGE, newestFirst ?? PAGE),
        ...(pageToken === undefined ? {} : { pageToken }),
      },
      signal,
    });
    found.push(...(answer.entries ?? []));
    pageToken = answer.nextPageToken;
    if (pageToken === undefined || pageToken === '' || found.length >= (newestFirst ?? Infinity)) break;
  }
  return newestFirst === undefined ? found : found.slice(0, newestFirst);
}

function entryOf(entry: Entry): CloudLogEntry {
  const labels = entry.resource?.labels ?? {};
  const at = Date.parse(entry.timestamp ?? entry.receiveTimestamp ?? '');
  return {
    at: Number.isNaN(at) ? 0 : at,
    service: labels['service_name'] ?? labels['job_name'] ?? '',
    revision: labels['revision_name'] ?? null,
    severity: entry.severity ?? 'DEFAULT',
    text: textOf(entry),
  };
}

function textOf({ textPayload, jsonPayload, httpRequest, protoPayload }: Entry): string {
  if (textPayload !== undefined) return textPayload.replace(/\n$/, '');
  if (jsonPayload !== undefined) {
    const { message, msg } = jsonPayload;
    const said = typeof message === 'string' ? message : typeof msg === 'string' ? msg : null;
    return said ?? JSON.stringify(jsonPayload);
  }
  if (httpRequest !== undefined) {
    const { requestMethod = '', requestUrl = '', status = 0, latency = '' } = httpRequest;
    return `${requestMethod} ${requestUrl} ${status} ${latency}`.trim();
  }
  return protoPayload?.status?.message ?? protoPayload?.methodName ?? '';
}
