import type { JsonObject } from '../json.ts';
import type { Violation } from '../schema/check.ts';

/** Google's names of what can go wrong, with the HTTP status and the reason that the older APIs give for each. */
const STATUSES = {
  INVALID_ARGUMENT: [400, 'invalid'],
  FAILED_PRECONDITION: [400, 'failedPrecondition'],
  UNAUTHENTICATED: [401, 'authError'],
  PERMISSION_DENIED: [403, 'forbidden'],
  NOT_FOUND: [404, 'notFound'],
  ABORTED: [409, 'conflict'],
  ALREADY_EXISTS: [409, 'conflict'],
  CONDITION_NOT_MET: [412, 'conditionNotMet'],
  RESOURCE_EXHAUSTED: [429, 'rateLimitExceeded'],
  INTERNAL: [500, 'backendError'],
  UNIMPLEMENTED: [501, 'notImplemented'],
  UNAVAILABLE: [503, 'backendError'],
  DEADLINE_EXCEEDED: [504, 'backendError'],
} as const;

export type Status = keyof typeof STATUSES;

/** Numbers by which an operation's error names a status (google.rpc.Code). */
const CODES: Partial<Record<Status, number>> = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

export interface ErrorParts {
  /** Of `details`, each with its `@type`. */
  details?: JsonObject[];
  /** What the older APIs say in `errors[].reason` instead of the usual one. */
  reason?: string;
  /** HTTP status where it is not the usual one. */
  http?: number;
  headers?: Record<string, string>;
}

/** What a handler throws to answer with an error. Thrown by an operation's effect, the operation ends with it. */
export class GoogleError extends Error {
  readonly status: Status;
  readonly http: number;
  readonly reason: string;
  readonly details: JsonObject[];
  readonly headers: Record<string, string>;

  constructor(status: Status, message: string, { details = [], reason, http, headers = {} }: ErrorParts = {}) {
    super(message);
    this.name = 'GoogleError';
    this.status = status;
    this.http = http ?? STATUSES[status][0];
    this.reason = reason ?? STATUSES[status][1];
    this.details = details;
    this.headers = headers;
  }
}

/** The body in the shape of the API's family. */
export function errorBody(error: GoogleError, family: 'details' | 'reasons'): JsonObject {
  const { http: code, message, status, reason, details } = error;
  // 412 is of the older APIs alone.
  const name = status === 'CONDITION_NOT_MET' ? 'FAILED_PRECONDITION' : status;
  if (family === 'reasons') {
    const errors = [{ message, domain: 'global', reason }];
    return { error: { code, message, errors, ...(details.length === 0 ? {} : { status: name, details }) } };
  }
  return { error: { code, message, status: name, ...(details.length === 0 ? {} : { details }) } };
}

/** The `google.rpc.Status` with which an operation ends. */
export const statusBody = ({ status, message, details }: GoogleError): JsonObject => ({
  code: CODES[status] ?? 2,
  message,
  ...(details.length === 0 ? {} : { details }),
});

export const notFound = (message: string, parts?: ErrorParts): GoogleError =>
  new GoogleError('NOT_FOUND', message, parts);

export const alreadyExists = (message: string, parts?: ErrorParts): GoogleError =>
  new GoogleError('ALREADY_EXISTS', message, parts);

export const badState = (message: string, parts?: ErrorParts): GoogleError =>
  new GoogleError('FAILED_PRECONDITION', message, parts);

export function invalid(message: string, violations: readonly Violation[] = [], parts: ErrorParts = {}): GoogleError {
  const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
  const details =
    fieldViolations.length === 0 ? [] : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }];
  return new GoogleError('INVALID_ARGUMENT', message, { details, ...parts });
}

/** What is not built is said, never pretended. */
export const notModelled = (what: string): GoogleError =>
  new GoogleError('UNIMPLEMENTED', `the emulator does not model ${what}`);
