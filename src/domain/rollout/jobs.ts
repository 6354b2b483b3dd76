import { type Observed, seen, type Work } from './observed.ts';
import type { Phase, Rollout, RolloutService } from './rollout.ts';

export type JobKind = 'migrate' | 'smoke' | 'check' | 'contract';

/** A job that runs at most once for each attempt, such as `migrate.api`. Builds are none: they may simply be repeated. */
export interface Job {
  name: string;
  kind: JobKind;
  service: RolloutService;
  work: Work;
}

/** The jobs that a service has to do of these kinds and that no person has vouched for, in their order. */
export function jobsOf(rollout: Rollout, observed: Observed, each: RolloutService, kinds: readonly JobKind[]): Job[] {
  const service = seen(observed, each);
  const all = {
    migrate: { needed: each.migrates, work: service.migration },
    smoke: { needed: each.smokes, work: service.smoke },
    check: { needed: each.checks, work: service.check },
    contract: { needed: each.contracts, work: service.contract },
  };
  return kinds
    .filter((kind) => all[kind].needed)
    .map((kind) => ({ name: `${kind}.${each.service}`, kind, service: each, work: all[kind].work }))
    .filter((job) => !rollout.waived.includes(job.name));
}

const KINDS_OF: Partial<Record<Phase, JobKind[]>> = { migrating: ['migrate'], contracting: ['contract'] };

/** The first job whose end nobody knows, which is what a pause of `unknown-job` asks about. */
export function unknownJob(rollout: Rollout, observed: Observed): Job | null {
  const kinds = KINDS_OF[rollout.phase] ?? ['smoke', 'check'];
  return (
    rollout.services
      .flatMap((each) => jobsOf(rollout, observed, each, kinds))
      .find((job) => job.work.state === 'unknown') ?? null
  );
}

/** As a sentence names it. */
export const titleOf = (job: Pick<Job, 'kind'>): string =>
  ({ migrate: 'migration', smoke: 'smoke test', check: 'check', contract: 'contract' })[job.kind];

export const attemptOf = (rollout: Rollout, job: Pick<Job, 'name'>): number => rollout.attempts[job.name] ?? 1;

export const unknownEnd = (job: Job): string =>
  `${job.name} died without a recorded end (${job.work.detail}): ` +
  `resume runs it again, promote goes on as if it had succeeded, abort ${job.kind === 'contract' ? 'leaves it' : 'takes back'}`;
