/** Names of a rollout's jobs. They are derived, so that a controller that comes back finds what it began. */

export const WORK_KINDS = ['build', 'migrate', 'smoke', 'check', 'contract'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

export function workId(rollout: string, kind: WorkKind, service: string, attempt = 1): string {
  const base = `${rollout}.${kind}.${service}`;
  return attempt === 1 ? base : `${base}.${attempt}`;
}

export function attemptOf(attempts: Record<string, number>, kind: WorkKind, service: string): number {
  return attempts[`${kind}.${service}`] ?? 1;
}
