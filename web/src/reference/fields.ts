import type { Document, Schema } from './document.ts';

type Schemas = Document['components']['schemas'];

/** A line of a table of fields; `depth` is how deep it lies. */
export interface Line {
  readonly key: string;
  readonly depth: number;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly notes: string;
}

const DEEPEST = 6;

/** The schema behind a reference, with the name that it has. */
export function resolved(schema: Schema, schemas: Schemas): { schema: Schema; name: string | null } {
  const name = schema.$ref?.split('/').at(-1);
  if (name === undefined) return { schema, name: null };
  return { schema: schemas[name] ?? {}, name };
}

/** What a schema is made of, line by line; what refers to itself is told once. */
export function linesOf(schema: Schema, schemas: Schemas): Line[] {
  const lines: Line[] = [];
  const walk = (of: Schema, way: string, depth: number, seen: readonly string[]): void => {
    const { schema: here, name } = resolved(of, schemas);
    if ((name !== null && seen.includes(name)) || depth > DEEPEST) return;
    const inside = name === null ? seen : [...seen, name];
    const choices = choicesOf(here).filter((each) => !isNull(each));
    if (choices.length > 0) {
      choices.forEach((each, index) => {
        const kind = kindOf(resolved(each, schemas).schema);
        if (choices.length > 1 && kind !== null)
          lines.push({
            key: `${way}|${index}`,
            depth,
            name: `if ${kind.name} is ${kind.value}`,
            type: '',
            required: false,
            notes: '',
          });
        walk(each, `${way}|${index}`, choices.length > 1 && kind !== null ? depth + 1 : depth, inside);
      });
      return;
    }
    if (here.items !== undefined) walk(here.items, `${way}[]`, depth, inside);
    if (typeof here.additionalProperties === 'object') walk(here.additionalProperties, `${way}.*`, depth, inside);
    const required = new Set(here.required);
    for (const [field, part] of Object.entries(here.properties ?? {})) {
      lines.push({
        key: `${way}.${field}`,
        depth,
        name: field,
        type: typeOf(part, schemas),
        required: required.has(field),
        notes: notesOf(part, schemas),
      });
      walk(part, `${way}.${field}`, depth + 1, inside);
    }
  };
  walk(schema, '', 0, []);
  return lines;
}

const choicesOf = ({ anyOf, oneOf, allOf }: Schema): readonly Schema[] => anyOf ?? oneOf ?? allOf ?? [];
const isNull = ({ type }: Schema): boolean => type === 'null';

/** By which field the forms of a union are told apart. */
function kindOf({ properties = {} }: Schema): { name: string; value: string } | null {
  for (const [name, { const: value }] of Object.entries(properties))
    if (value !== undefined) return { name, value: JSON.stringify(value) };
  return null;
}

/** In words: `text`, `list of Rollout`, `number or null`. */
export function typeOf(schema: Schema, schemas: Schemas): string {
  const { schema: here, name } = resolved(schema, schemas);
  if (name !== null && here.properties !== undefined) return name;
  if (here.const !== undefined) return JSON.stringify(here.const);
  if (here.enum !== undefined)
    return here.enum.length > 8 ? 'one of many words' : here.enum.map((each) => JSON.stringify(each)).join(' or ');
  const choices = choicesOf(here);
  if (choices.length > 0) return name ?? [...new Set(choices.map((each) => typeOf(each, schemas)))].join(' or ');
  const types: readonly string[] = [here.type ?? 'anything'].flat();
  if (types.length > 1) return types.map((type) => WORDS[type] ?? type).join(' or ');
  const [type = ''] = types;
  if (type === 'array') return `list of ${here.items === undefined ? 'anything' : typeOf(here.items, schemas)}`;
  if (type === 'object' && typeof here.additionalProperties === 'object' && here.properties === undefined)
    return `${typeOf(here.additionalProperties, schemas)} by name`;
  return WORDS[type] ?? type;
}

const WORDS: Readonly<Record<string, string>> = { string: 'text', integer: 'whole number', boolean: 'true or false' };

function notesOf(schema: Schema, schemas: Schemas): string {
  const { schema: here } = resolved(schema, schemas);
  const one = choicesOf(here).find((each) => !isNull(each)) ?? here;
  const { minLength = 0, maxLength, minimum, maximum } = one;
  const most = Number.MAX_SAFE_INTEGER;
  return [
    schema.description ?? here.description ?? '',
    here.enum !== undefined && here.enum.length > 8 ? here.enum.join(', ') : '',
    schema.default === undefined && here.default === undefined
      ? ''
      : `default ${JSON.stringify(schema.default ?? here.default)}`,
    minimum !== undefined && minimum > -most ? `at least ${minimum}` : '',
    maximum !== undefined && maximum < most ? `at most ${maximum}` : '',
    maxLength === undefined ? '' : `${minLength > 0 ? `${minLength} to ` : 'up to '}${maxLength} characters`,
  ]
    .filter(Boolean)
    .join('; ');
}
