import { at, isObject } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { invalid } from './google-error.ts';

/**
 * `resource` with the fields of a mask (`labels,replication.automatic`; `*` all; snake_case as well) taken from `change`;
 * fields that `change` lacks are taken away. Without a mask every field that `change` has is taken, as the APIs do that
 * do not insist on one.
 */
export function masked(resource: JsonObject, change: JsonObject, mask: string | undefined): JsonObject {
  const paths =
    mask === undefined || mask === '' ? Object.keys(change) : mask.split(',').map((path) => camel(path.trim()));
  if (paths.includes('*')) return { ...change };
  let result = structuredClone(resource);
  for (const path of paths) result = withField(result, change, path.split('.'), path);
  return result;
}

function withField(into: JsonObject, change: JsonObject, keys: string[], path: string): JsonObject {
  const [key, ...rest] = keys;
  if (key === undefined || key === '') throw invalid(`The update mask's path '${path}' is not valid.`);
  const result = { ...into };
  if (rest.length === 0) {
    const value = at(change, key);
    if (value === undefined || value === null) delete result[key];
    else result[key] = value;
    return result;
  }
  const below = result[key];
  const changed = change[key];
  result[key] = withField(isObject(below) ? below : {}, isObject(changed) ? changed : {}, rest, path);
  return result;
}

const camel = (path: string): string => path.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
