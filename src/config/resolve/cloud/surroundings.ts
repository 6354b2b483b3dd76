import type { CloudBucket } from '../../../domain/cloud/config.ts';
import { urlVariableOf } from '../../../domain/cloud/names.ts';
import { bucketEnv, urlEnv } from '../../../domain/cloud/variables.ts';
import type { EnvTemplate } from '../../../domain/project/project.ts';
import type { Filling } from '../../fill.ts';
import type { Problem } from '../../problem.ts';
import type { WrittenService } from '../../schema/service.ts';
import type { Tree } from '../../tree.ts';
import { resolveBuckets } from './buckets.ts';
import { cloudRunEnvironment, urlVariableProblems } from './contradictions.ts';
import { resolveDatabases } from './databases.ts';
import type { Databases } from './databases.ts';
import { cloudPlace } from './place.ts';
import type { CloudPlace } from './place.ts';
import { secretIds } from './secrets.ts';
import { isListed } from './services.ts';

/** A service as it is written for one environment. */
export interface Candidate {
  name: string;
  tree: Tree;
  written: WrittenService;
}

/** What services find around them: databases, buckets and each other. */
export interface Surroundings {
  place: CloudPlace | null;
  databases: Databases;
  buckets: CloudBucket[];
  secretIds: ReadonlyMap<string, string>;
  /** The variables of a service that its own `env` is laid over. */
  envOf: (candidate: Candidate) => EnvTemplate;
}

export function resolveSurroundings(
  tree: Tree,
  candidates: readonly Candidate[],
  filling: Filling,
  problems: Problem[],
): Surroundings {
  const { environment } = filling;
  const place = cloudPlace(tree, environment, problems);
  const ids = secretIds(tree, place, filling.secrets);
  const databases = resolveDatabases(tree, place, filling, ids, problems);
  const buckets = resolveBuckets(tree, place, environment, problems);
  const listed =
    place === null
      ? []
      : candidates
          .filter(({ written }) => place.runsServices || isListed(written))
          .map(({ name, tree: at, written }) => ({
            name,
            tree: at,
            variable: written.urlVariable ?? urlVariableOf(name),
          }));
  const shared = { ...bucketEnv(buckets), ...databases.env };
  problems.push(...urlVariableProblems(listed, shared));
  if (place?.runsServices === true) problems.push(...cloudRunEnvironment(tree, environment));
  const urls = listed.map(({ name, variable }) => ({ service: name, urlVariable: variable }));
  return {
    place,
    databases,
    buckets,
    secretIds: ids,
    envOf: ({ name, written }) => ({
      ...urlEnv(urls, name),
      ...bucketEnv(buckets),
      ...(written.database === false ? {} : databases.env),
    }),
  };
}
