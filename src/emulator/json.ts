/** What the APIs speak. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a dotted path (`settings.backupConfiguration.enabled`), or undefined where there is none. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let found = value;
  for (const key of path.split('.')) {
    if (!isObject(found)) return undefined;
    found = found[key];
  }
  return found;
}

export function textAt(value: Json | undefined, path: string): string | undefined {
  const found = at(value, path);
  return typeof found === 'string' ? found : undefined;
}

export function objectAt(value: Json | undefined, path: string): JsonObject {
  const found = at(value, path);
  return isObject(found) ? found : {};
}

export function listAt(value: Json | undefined, path: string): Json[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

/** The objects of a list at a path. */
export const objectsAt = (value: Json | undefined, path: string): JsonObject[] => listAt(value, path).filter(isObject);

/** The texts of a list at a path. */
export const textsAt = (value: Json | undefined, path: string): string[] =>
  listAt(value, path).filter((entry) => typeof entry === 'string');

/** An object without those of its keys that are undefined. */
export function made(parts: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(parts).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** `over` laid over `base`: objects key by key, all else replaced; null takes a key away (as in a JSON merge patch). */
export function merged(base: JsonObject, over: JsonObject): JsonObject {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = merged(isObject(before) ? before : {}, value);
    else result[key] = value;
  }
  return result;
}

/** A value as text: texts as they are, all else as JSON; nothing is empty. */
export const written = (value: Json | undefined): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
