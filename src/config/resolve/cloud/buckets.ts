import type { CloudBucket } from '../../../domain/cloud/config.ts';
import { cloudName, NAME_LIMITS } from '../../../domain/cloud/names.ts';
import { problemAt } from '../../problem.ts';
import type { Problem } from '../../problem.ts';
import { bucket as bucketSchema } from '../../schema/bucket.ts';
import { toPlain } from '../../tree.ts';
import type { Tree } from '../../tree.ts';
import { parseTolerantly } from '../tolerant-parse.ts';
import { laidOver } from './place.ts';
import type { CloudPlace } from './place.ts';

const DAY_MS = 86_400_000;

export function resolveBuckets(
  tree: Tree,
  place: CloudPlace | null,
  environment: string,
  problems: Problem[],
): CloudBucket[] {
  const buckets = laidOver(tree, 'buckets', environment);
  if (buckets?.kind !== 'map' || buckets.entries.size === 0) return [];
  if (place === null) {
    problems.push(
      problemAt(buckets.place, buckets.path, {
        code: 'not-available',
        message: `\`buckets\` are in the cloud, and \`${environment}\` has no \`cloud\``,
        hint: 'add `cloud: { project: ID, region: REGION }`, or give services the address of a bucket in `env`',
      }),
    );
    return [];
  }
  const seen = new Map<string, string>();
  return [...buckets.entries].map(([key, entry]) => {
    const plain = toPlain(entry.value);
    const written = plain === null ? {} : (parseTolerantly(bucketSchema, plain) ?? {});
    const name = written.name ?? cloudName(place.scope, key, NAME_LIMITS.bucket);
    const other = seen.get(name);
    if (other !== undefined) {
      const message = `\`${key}\` has the name of \`${other}\``;
      const hint = 'give each a name of its own';
      problems.push(problemAt(entry.place, entry.value.path, { code: 'contradiction', message, hint }));
    }
    seen.set(name, key);
    const { expire } = written;
    return {
      key,
      name,
      public: written.public ?? false,
      versioning: written.versioning ?? false,
      expire: expire === undefined ? null : { days: expire.after / DAY_MS, prefixes: expire.prefixes ?? [] },
    };
  });
}
