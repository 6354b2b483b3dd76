import type { Role } from '../project/objectives.ts';
import type { ServiceKind } from '../project/project.ts';

/**
 * What a service is shown as when the file does not say: what can be asked over HTTP is a backend, files are web, and
 * what only runs is a worker. A landing page looks like any other: that is for a person to say.
 */
export function roleOf(kind: ServiceKind, isScheduled: boolean, written: Role | undefined): Role {
  if (written !== undefined) return written;
  if (kind === 'worker' || isScheduled) return 'worker';
  return kind === 'static' ? 'web' : 'backend';
}
