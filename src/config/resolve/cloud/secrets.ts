import { cloudName, dashed, NAME_LIMITS } from '../../../domain/cloud/names.ts';
import { secret as secretSchema } from '../../schema/file.ts';
import { child, toPlain } from '../../tree.ts';
import type { Tree } from '../../tree.ts';
import { parseTolerantly } from '../tolerant-parse.ts';
import type { CloudPlace } from './place.ts';

/** The id in the cloud of each secret that the file lists. */
export function secretIds(tree: Tree, place: CloudPlace | null, names: Iterable<string>): Map<string, string> {
  if (place === null) return new Map();
  const written = child(tree, 'secrets');
  return new Map(
    [...names].map((variable) => {
      const keys = written?.kind === 'map' ? toPlain(child(written, variable) ?? written) : null;
      const id = keys === null ? undefined : parseTolerantly(secretSchema, keys)?.cloud;
      return [variable, id ?? cloudName(place.scope, dashed(variable), NAME_LIMITS.secret)];
    }),
  );
}
