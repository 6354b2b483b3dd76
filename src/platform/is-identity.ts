import type { ProcessIdentity } from './process/identity.ts';

/** Whether something read from a file names a process. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime, boot } = value as Record<string, unknown>;
  return typeof pid === 'number' && typeof startTime === 'string' && typeof boot === 'string';
}
