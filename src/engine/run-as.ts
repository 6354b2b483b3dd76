import type { ServiceConfig } from '../domain/project/project.ts';
import type { RunAs } from '../ports/runtime.ts';

/** As whom the commands of a service run; undefined: as evenkeel itself. */
export const runAs = ({ name, user }: ServiceConfig): RunAs | undefined =>
  user === undefined ? undefined : { user, service: name };
