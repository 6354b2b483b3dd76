import type { Observed } from '../resource.ts';

/** What is known of an environment, by its file or by what is there of it. */
export interface Signs {
  name: string;
  /** People who have to approve a rollout. */
  approvals: number;
  /** Its database is protected against deletion. */
  protectedDatabase: boolean;
}

/** Why an environment is taken for production, to be said after its name; null: it is not. */
export function whyProduction({ name, approvals, protectedDatabase }: Signs): string | null {
  if (isCalledProduction(name)) return 'is production by its name';
  if (approvals > 0) return 'wants its rollouts approved, as production does';
  return protectedDatabase ? 'has a database that is protected against deletion, as production has' : null;
}

/** As its name says; nothing else is known of an environment that another file may be about. */
const isCalledProduction = (name: string): boolean => /^prod(uction)?$/i.test(name);

/** The same of another environment, of which only what is there can be seen. Null: it is no production, or nobody's. */
export function whySeenProduction(labels: Observed['labels'], seen: readonly Observed[]): string | null {
  const [project, name] = [labels['evenkeel-project'], labels['evenkeel-environment']];
  if (name === undefined) return null;
  const protectedDatabase = seen.some(
    (each) =>
      each.kind === 'sql-instance' &&
      each.attributes.deletionProtection &&
      each.labels['evenkeel-project'] === project &&
      each.labels['evenkeel-environment'] === name,
  );
  return whyProduction({ name, approvals: 0, protectedDatabase });
}
