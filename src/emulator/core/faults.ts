import { isObject, textAt } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { GoogleError, invalid } from './google-error.ts';
import type { Status } from './google-error.ts';

/** What shall go wrong. */
export type Fault =
  /** Answer with an error, before anything was done. `retryAfterS` becomes the header. */
  | { do: 'fail'; status: Status; message?: string; reason?: string; retryAfterS?: number }
  /** The quota is used up: 429, or 403 `quotaExceeded` of the older APIs. */
  | { do: 'quota' }
  /** The caller lacks a permission: 403. */
  | { do: 'deny'; permission: string }
  /** Wait before doing it. */
  | { do: 'slow'; ms: number }
  /** Never answer. */
  | { do: 'hang' }
  /** Cut the connection, before or after having acted. */
  | { do: 'cut'; when: 'before' | 'after' }
  /** The operation that the call starts ends with an error. */
  | { do: 'fail-operation'; status: Status; message?: string };

export type PlannedFault = Fault & {
  /** Of method ids, with `*`: `sql.instances.insert`, `run.*`, `*`. */
  method: string;
  /** The nth matching call from now on, 1 by default. */
  nth?: number;
  /** How many calls from there on; 0: all. 1 by default. */
  times?: number;
};

interface Armed {
  fault: PlannedFault;
  pattern: RegExp;
  seen: number;
}

/** Planned faults, and the log of calls that planned ones and tests count by. */
export class Faults {
  private armed: Armed[] = [];

  plan(fault: PlannedFault): void {
    const pattern = fault.method.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
    this.armed.push({ fault, pattern: new RegExp(`^${pattern.join('.*')}$`), seen: 0 });
  }

  clear(): void {
    this.armed = [];
  }

  /** Counts a call and says what shall go wrong with it. */
  of(method: string): Fault[] {
    return this.armed.flatMap((armed) => {
      if (!armed.pattern.test(method)) return [];
      armed.seen += 1;
      const { nth = 1, times = 1 } = armed.fault;
      const hit = armed.seen >= nth && (times === 0 || armed.seen < nth + times);
      return hit ? [armed.fault] : [];
    });
  }
}

/** The error of a fault that answers with one; null for the others. */
export function faultError(fault: Fault, service: string, family: 'details' | 'reasons'): GoogleError | null {
  switch (fault.do) {
    case 'fail': {
      const headers: Record<string, string> =
        fault.retryAfterS === undefined ? {} : { 'retry-after': String(fault.retryAfterS) };
      const reason = fault.reason === undefined ? {} : { reason: fault.reason };
      return new GoogleError(fault.status, fault.message ?? `planned fault: ${fault.status}`, { headers, ...reason });
    }
    case 'quota': {
      const message = `Quota exceeded for a quota metric of service '${service}'.`;
      if (family === 'reasons') return new GoogleError('PERMISSION_DENIED', message, { reason: 'quotaExceeded' });
      return new GoogleError('RESOURCE_EXHAUSTED', message, {
        details: [errorInfo('RATE_LIMIT_EXCEEDED', { service })],
      });
    }
    case 'deny': {
      const { permission } = fault;
      const message = `Permission '${permission}' denied on resource (or it may not exist).`;
      return new GoogleError('PERMISSION_DENIED', message, {
        details: [errorInfo('IAM_PERMISSION_DENIED', { permission })],
      });
    }
    case 'slow':
    case 'hang':
    case 'cut':
    case 'fail-operation':
      return null;
  }
}

const errorInfo = (reason: string, metadata: JsonObject): JsonObject => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata,
});

const KINDS = ['fail', 'quota', 'deny', 'slow', 'hang', 'cut', 'fail-operation'];

/** A planned fault as JSON, as the control endpoint receives it. */
export function faultFrom(value: Json): PlannedFault {
  if (!isObject(value) || textAt(value, 'method') === undefined || !KINDS.includes(textAt(value, 'do') ?? ''))
    throw invalid(`A fault has a method (a pattern of ids) and what to do: ${KINDS.join(', ')}.`);
  return value as unknown as PlannedFault;
}
