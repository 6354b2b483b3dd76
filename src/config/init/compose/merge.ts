import { isMap, listOf, pairsOf, scalarText } from './model.ts';
import type { Raw } from './model.ts';

/** Of these the later file takes the place of the earlier one. */
const REPLACED = new Set(['command', 'entrypoint', 'test']);
/** Lists and maps mean the same here, and are put together by name. */
const PAIRS = new Set(['environment', 'labels', 'args', 'annotations', 'sysctls']);
const BY_NAME = new Set(['depends_on', 'networks']);
const LISTS = new Set(['env_file', 'tmpfs', 'dns', 'dns_search', 'configs', 'secrets', 'ports', 'expose']);

/** Two descriptions of one service, put together by the rules of compose. */
export function mergeService(base: Raw, over: Raw): Raw {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = mergeKey(key, base[key], value);
  return merged;
}

function mergeKey(key: string, base: unknown, over: unknown): unknown {
  if (base === undefined || base === null || REPLACED.has(key)) return over;
  // A key without a value says nothing.
  if (over === null || over === undefined) return base;
  if (PAIRS.has(key)) return Object.fromEntries([...pairsOf(base), ...pairsOf(over)]);
  if (BY_NAME.has(key)) return { ...byName(base), ...byName(over) };
  if (key === 'build') return mergeService(asBuild(base), asBuild(over));
  if (key === 'volumes') return mergeVolumes(listOf(base), listOf(over));
  if (LISTS.has(key) || (Array.isArray(base) && Array.isArray(over))) return union(listOf(base), listOf(over));
  if (isMap(base) && isMap(over)) return mergeService(base, over);
  return over;
}

function byName(value: unknown): Raw {
  if (isMap(value)) return value;
  return Object.fromEntries(listOf(value).map((name) => [scalarText(name) ?? '', {}]));
}

export function asBuild(value: unknown): Raw {
  return isMap(value) ? value : { context: scalarText(value) ?? '.' };
}

function union(base: readonly unknown[], over: readonly unknown[]): unknown[] {
  const seen = new Set<string>();
  return [...base, ...over].filter((each) => {
    const text = JSON.stringify(each);
    return seen.has(text) ? false : seen.add(text);
  });
}

/** A later volume of the same folder in the container takes the place of the earlier one. */
function mergeVolumes(base: readonly unknown[], over: readonly unknown[]): unknown[] {
  const taken = new Set(over.map(targetOf));
  return [...base.filter((each) => !taken.has(targetOf(each))), ...over];
}

function targetOf(volume: unknown): string {
  if (isMap(volume)) return scalarText(volume['target']) ?? '';
  const parts = (scalarText(volume) ?? '').split(':');
  return parts.length === 1 ? (parts[0] ?? '') : (parts[1] ?? '');
}
