import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { Overviews } from '../overview/overviews.ts';

export function overviewHandlers(deps: ApiDeps): Pick<Handlers, 'getOverview' | 'followChanges'> {
  const overviews = new Overviews(deps);
  return {
    async getOverview({ project, environment }, call) {
      const records = await overviews.records();
      const seen = records.filter(
        (each) =>
          (project === undefined || each.project === project) &&
          (environment === undefined || each.environment === environment) &&
          call.may('environment:read', each),
      );
      if (seen.length === 0 && environment !== undefined) throw environmentUnknown(project, environment);
      return overviews.of(seen);
    },

    followChanges: async (_, call) => deps.changes.follow(call),
  };
}

/** Also of one that the caller may not see: whether it is there is nobody else's business. */
export function environmentUnknown(project: string | undefined, environment: string): EvenkeelError {
  return new EvenkeelError({
    code: 'environment-unknown',
    what: `there is no environment ${environment}${project === undefined ? '' : ` of ${project}`} here`,
    next: 'evenkeel status',
  });
}
