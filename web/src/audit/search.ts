import type { InputOf } from '../../../src/api/contract/client.ts';

/** What the address of the audit page says: the filter, and the act that is open. */
export interface AuditSearch {
  who?: string | undefined;
  operation?: string | undefined;
  organization?: string | undefined;
  project?: string | undefined;
  environment?: string | undefined;
  result?: Result | undefined;
  /** ms since 1970. */
  from?: number | undefined;
  to?: number | undefined;
  /** Its place in the chain. */
  act?: number | undefined;
}

type Result = NonNullable<InputOf<'listAudit'>['result']>;

export const RESULTS: readonly Result[] = ['done', 'refused', 'failed', 'unknown'];

/** Of what an address says only what can be asked for. A name that looks like a number comes as one. */
export function auditSearch(given: Record<string, unknown>): AuditSearch {
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
  };
  const time = (name: string): number | undefined => {
    const value = Number(given[name] ?? Number.NaN);
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  };
  const result = RESULTS.find((each) => each === given['result']);
  const all: AuditSearch = {
    who: text('who'),
    operation: text('operation'),
    organization: text('organization'),
    project: text('project'),
    environment: text('environment'),
    result,
    from: time('from'),
    to: time('to'),
    act: time('act'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

type Filter = Omit<InputOf<'listAudit'>, 'limit' | 'before'>;

export function filterOf({ act: _, ...filter }: AuditSearch): Filter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Filter;
}
