import type { RunExecution, RunJob, RunRevision, RunService, RunTask } from '../../domain/cloud/run/api.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/** Where in the cloud the services of an environment are. */
export interface Place {
  project: string;
  region: string;
}

/** How Google is asked; platform/google/http.ts does it. Refusals are EvenkeelErrors that also have a `status`. */
export interface GoogleCalls {
  request<T>(
    method: string,
    url: string,
    options?: {
      query?: Record<string, string | number | boolean | readonly string[] | undefined>;
      body?: unknown;
      /** Not again when it may have been done. */
      once?: boolean;
      /** At most so many. */
      tries?: number;
      signal?: AbortSignal;
    },
  ): Promise<T>;
}

/** One request to a service's own address, tried once; `audience`: as whom it is proven, null for a public one. */
export type AskService = (request: {
  url: string;
  method: string;
  audience: string | null;
  timeoutMs: number;
}) => Promise<{ status: number; body: string }>;

/**
 * How long a question and a change may take, tries included, ms. Whoever asks comes again by itself: to wait for longer
 * would keep a rollout from being taken back meanwhile.
 */
const QUESTION_MS = 5_000;
const CHANGE_MS = 20_000;
const PAGE = 100;
const BASE = 'https://run.googleapis.com/v2';

/** The calls of Cloud Run's API (v2) that rollouts need. Nothing waits for an operation to end: what is so is observed. */
export class RunApi {
  readonly #calls: GoogleCalls;

  constructor(calls: GoogleCalls) {
    this.#calls = {
      request: (method, url, options = {}) => {
        const signal = AbortSignal.timeout(method === 'GET' ? QUESTION_MS : CHANGE_MS);
        return calls.request(method, url, { ...options, signal });
      },
    };
  }

  async services(place: Place): Promise<RunService[]> {
    const all: RunService[] = [];
    let pageToken: string | undefined;
    do {
      const page: { services?: RunService[]; nextPageToken?: string } = await this.#calls.request(
        'GET',
        `${parentOf(place)}/services`,
        { query: { pageSize: PAGE, ...(pageToken === undefined ? {} : { pageToken }) } },
      );
      all.push(...(page.services ?? []));
      pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
    } while (pageToken !== undefined);
    return all;
  }

  service = (place: Place, name: string): Promise<RunService | null> =>
    orNull(this.#calls.request<RunService>('GET', serviceUrl(place, name)));

  createService = (place: Place, name: string, body: RunService): Promise<unknown> =>
    this.#calls.request('POST', `${parentOf(place)}/services`, { query: { serviceId: name }, body, once: true });

  patchService = (place: Place, name: string, body: RunService, mask: readonly string[]): Promise<unknown> =>
    this.#calls.request('PATCH', serviceUrl(place, name), {
      query: { updateMask: mask.join(',') },
      // A patch that was lost and is sent again meets another etag, and is looked at anew.
      body,
      once: true,
    });

  revision = (place: Place, service: string, name: string): Promise<RunRevision | null> =>
    orNull(this.#calls.request<RunRevision>('GET', `${serviceUrl(place, service)}/revisions/${name}`));

  deleteRevision = (place: Place, service: string, name: string): Promise<unknown> =>
    orNull(this.#calls.request('DELETE', `${serviceUrl(place, service)}/revisions/${name}`));

  policy = (place: Place, service: string): Promise<Policy> =>
    this.#calls.request<Policy>('GET', `${serviceUrl(place, service)}:getIamPolicy`, {
      query: { 'options.requestedPolicyVersion': 3 },
    });

  setPolicy = (place: Place, service: string, policy: Policy): Promise<unknown> =>
    this.#calls.request('POST', `${serviceUrl(place, service)}:setIamPolicy`, { body: { policy }, once: true });

  job = (place: Place, name: string): Promise<RunJob | null> =>
    orNull(this.#calls.request<RunJob>('GET', jobUrl(place, name)));

  createJob = (place: Place, name: string, body: unknown): Promise<unknown> =>
    this.#calls.request('POST', `${parentOf(place)}/jobs`, { query: { jobId: name }, body, once: true });

  /** Asked a single time: a migration must not be run twice, and nothing tells one execution that was asked for from two. */
  runJob = (place: Place, name: string, etag: string | undefined): Promise<unknown> =>
    this.#calls.request('POST', `${jobUrl(place, name)}:run`, {
      body: etag === undefined ? {} : { etag },
      once: true,
      tries: 1,
    });

  deleteJob = (place: Place, name: string): Promise<unknown> =>
    orNull(this.#calls.request('DELETE', jobUrl(place, name)));

  async executions(place: Place, job: string): Promise<RunExecution[]> {
    const page = await this.#calls.request<{ executions?: RunExecution[] }>('GET', `${jobUrl(place, job)}/executions`);
    return page.executions ?? [];
  }

  cancelExecution = (place: Place, job: string, execution: string): Promise<unknown> =>
    this.#calls.request('POST', `${jobUrl(place, job)}/executions/${execution}:cancel`, { body: {} });

  async tasks(place: Place, job: string, execution: string): Promise<RunTask[]> {
    const url = `${jobUrl(place, job)}/executions/${execution}/tasks`;
    const page = await this.#calls.request<{ tasks?: RunTask[] }>('GET', url);
    return page.tasks ?? [];
  }
}

export interface Policy {
  version?: number;
  etag?: string;
  bindings?: { role: string; members?: string[]; condition?: unknown }[];
}

const parentOf = ({ project, region }: Place): string => `${BASE}/projects/${project}/locations/${region}`;
const serviceUrl = (place: Place, name: string): string => `${parentOf(place)}/services/${name}`;
const jobUrl = (place: Place, name: string): string => `${parentOf(place)}/jobs/${name}`;

/** The status that Google refused with; null for any other error. */
export function statusOf(error: unknown): number | null {
  if (!(error instanceof EvenkeelError) || !('status' in error)) return null;
  return typeof error.status === 'number' ? error.status : null;
}

/** Somebody changed the same thing meanwhile: what was read has to be read again. */
export const isConflict = (error: unknown): boolean => [409, 412].includes(statusOf(error) ?? 0);

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
