import { isObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Document, Schema } from './document.ts';
import { formatOf } from './formats.ts';

export interface Violation {
  /** Dotted, such as `template.containers[0].image`; empty for the whole body. */
  field: string;
  description: string;
}

/**
 * Looks at a request's body as Google does: unknown names, wrong types and unknown enum values are refused; null means
 * absent (kept where a patch of the older APIs takes a field away by it); names may be written as in the protocol buffers (`secret_id`) and whole numbers as text. Gives the body back in
 * the one form that handlers know, without what only replies say (`readOnly`).
 */
export function checkRequest(
  document: Document,
  name: string,
  body: Json,
  { keepNulls = false }: { keepNulls?: boolean } = {},
): { body: JsonObject; violations: Violation[] } {
  const violations: Violation[] = [];
  const value = new Checker(document, 'request', violations, keepNulls).value({ $ref: name }, body, '');
  return { body: isObject(value) ? value : {}, violations };
}

/** Whether a reply is one that the schema allows. What the emulator itself would get wrong is found here. */
export function checkReply(document: Document, name: string, body: Json): Violation[] {
  const violations: Violation[] = [];
  new Checker(document, 'reply', violations).value({ $ref: name }, body, '');
  return violations;
}

/** A parameter of path or query. */
export function checkParameter(document: Document, schema: Schema, field: string, text: string): Violation[] {
  const violations: Violation[] = [];
  const value = schema.type === 'boolean' ? /^(true|false)$/i.test(text) || text : text;
  new Checker(document, 'request', violations).value({ ...schema, readOnly: false }, value, field);
  return violations;
}

/** Handed back by clients though only replies say it: which version they saw, and which resource they mean. */
const KEPT = new Set(['etag', 'name', 'kind']);

class Checker {
  private readonly document: Document;
  private readonly mode: 'request' | 'reply';
  private readonly violations: Violation[];

  private readonly keepNulls: boolean;

  constructor(document: Document, mode: 'request' | 'reply', violations: Violation[], keepNulls = false) {
    this.document = document;
    this.mode = mode;
    this.violations = violations;
    this.keepNulls = keepNulls;
  }

  value(schema: Schema, value: Json, field: string): Json {
    if (schema.$ref !== undefined) {
      const referred = this.document.schemas[schema.$ref];
      if (referred === undefined) return this.wrong(field, `schema ${schema.$ref} is unknown`, value);
      return this.value(referred, value, field);
    }
    if (schema.type === 'any') return value;
    if (schema.type === 'array') return this.list(schema, value, field);
    if (schema.type === 'object') return this.object(schema, value, field);
    if (schema.enum !== undefined) return this.enumerated(schema.enum, value, field);
    const format = formatOf(schema.type, schema.format);
    if (format === undefined || format[this.mode](value)) return normal(schema, value);
    return this.wrong(field, `Invalid value at '${field}' (${format.type}), ${JSON.stringify(value)}`, value);
  }

  private enumerated(known: string[], value: Json, field: string): Json {
    if (typeof value === 'string' && known.includes(value)) return value;
    const named = this.mode === 'request' && typeof value === 'number' ? enumAt(known, value) : undefined;
    if (named !== undefined) return named;
    return this.wrong(field, `Invalid value at '${field}' (TYPE_ENUM), ${JSON.stringify(value)}`, value);
  }

  private list(schema: Schema, value: Json, field: string): Json {
    if (!Array.isArray(value))
      return this.wrong(field, `Invalid value at '${field}' (a list is expected), ${JSON.stringify(value)}`, value);
    return value.map((entry, index) => this.value(schema.items ?? { type: 'any' }, entry, `${field}[${index}]`));
  }

  private object(schema: Schema, value: Json, field: string): Json {
    if (!isObject(value))
      return this.wrong(field, `Invalid value at '${field}' (an object is expected), ${JSON.stringify(value)}`, value);
    const result: JsonObject = {};
    for (const [name, entry] of Object.entries(value)) {
      const [key, property] = this.property(schema, name);
      const place = field === '' ? key : `${field}.${key}`;
      if (property === undefined) {
        if (this.mode === 'request' && ignoresUnknown(this.document)) continue;
        const where = field === '' ? '' : ` at '${field}'`;
        this.wrong(place, `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`, entry);
      } else if (this.mode === 'request') {
        if (entry === null && property.type !== 'any') {
          if (this.keepNulls) result[key] = null;
        } else {
          const checked = this.value(property, entry, place);
          if (property.readOnly !== true || KEPT.has(key)) result[key] = checked;
        }
      } else {
        result[key] = this.value(property, entry, place);
      }
    }
    return result;
  }

  private property(schema: Schema, name: string): [string, Schema | undefined] {
    const { properties, additionalProperties } = schema;
    const direct = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (direct !== undefined) return [name, direct];
    if (additionalProperties !== undefined) return [name, additionalProperties];
    // An object without any description of its content is free.
    if (properties === undefined)
      return [name, schema.format === undefined && schema.$ref === undefined ? undefined : { type: 'any' }];
    if (this.mode === 'reply') return [name, undefined];
    const camel = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    return Object.hasOwn(properties, camel) ? [camel, properties[camel]] : [name, undefined];
  }

  private wrong(field: string, description: string, value: Json): Json {
    this.violations.push({ field, description });
    return value;
  }
}

/** The oldest API lets pass what it does not know, and libraries for it rest on that. */
export const ignoresUnknown = ({ file }: Document): boolean => file.startsWith('storage.');

/** Numbers as the protocol buffers have them, where they are not those of the order in which documents list the words. */
const LAUNCH_STAGES = ['EARLY_ACCESS', 'ALPHA', 'BETA', 'GA', 'DEPRECATED', 'UNIMPLEMENTED', 'PRELAUNCH'];

/** Libraries that speak REST in the place of gRPC send enums as numbers. */
const enumAt = (known: string[], number: number): string | undefined =>
  known[0] === 'LAUNCH_STAGE_UNSPECIFIED' && number > 0 ? LAUNCH_STAGES[number - 1] : known[number];

/** Whole numbers in the form in which replies have them, bytes in the usual alphabet. */
function normal(schema: Schema, value: Json): Json {
  if (schema.type === 'integer') return Number(value);
  if (schema.type === 'number' && typeof value === 'string' && !Number.isNaN(Number(value))) return Number(value);
  if (schema.type === 'string' && typeof value === 'number') return String(value);
  if (schema.format === 'byte' && typeof value === 'string') return Buffer.from(value, 'base64').toString('base64');
  return value;
}
