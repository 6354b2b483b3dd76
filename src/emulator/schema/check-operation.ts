import { isObject, textAt } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { checkReply } from './check.ts';
import type { Violation } from './check.ts';
import type { Document } from './document.ts';

/**
 * What sits inside a long-running operation: documents say `any`, but the `@type` names a message, and most of those are
 * schemas of the same document. An operation bears a response or an error, and only once it is done.
 */
export function checkOperation(document: Document, name: string, reply: JsonObject): Violation[] {
  if (!name.endsWith('Operation') || document.schemas[name]?.properties?.['done'] === undefined) return [];
  const violations: Violation[] = [];
  const wrong = (field: string, description: string): void => {
    violations.push({ field, description });
  };
  const ends = ['response', 'error'].filter((field) => reply[field] !== undefined);
  if (reply['done'] === true && ends.length !== 1)
    wrong('done', `a response or an error is expected, not ${String(ends.length)}`);
  if (reply['done'] !== true && ends.length !== 0) wrong('done', 'an operation under way has no end');
  for (const field of ['response', 'metadata']) {
    const value = reply[field];
    if (value !== undefined) violations.push(...checkAny(document, value, field));
  }
  return violations;
}

function checkAny(document: Document, value: Json, field: string): Violation[] {
  const type = textAt(value, '@type');
  if (!isObject(value) || type === undefined) return [{ field, description: 'has no @type' }];
  if (type === 'type.googleapis.com/google.protobuf.Empty') {
    const extra = Object.keys(value).length > 1;
    return extra ? [{ field, description: 'Empty has no fields' }] : [];
  }
  const schema = schemaOf(document, type);
  // What an operation says of its progress is often in no document.
  if (schema === undefined)
    return field === 'metadata' ? [] : [{ field, description: `no schema of ${type} is known` }];
  const { '@type': _, ...rest } = value;
  return checkReply(document, schema, rest).map((found) => ({ ...found, field: `${field}.${found.field}` }));
}

/** `google.cloud.run.v2.Service` is `GoogleCloudRunV2Service` or, where no other is called so, `Service`. */
function schemaOf(document: Document, type: string): string | undefined {
  const words = type.replace(/^type\.googleapis\.com\//, '').split('.');
  const long = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
  return [long, words.at(-1) ?? ''].find((name) => Object.hasOwn(document.schemas, name));
}
