/** What the page reads of the OpenAPI document. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly tags?: readonly string[];
  readonly 'x-permission'?: string | null;
  readonly security?: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface Document {
  readonly info: { readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: { readonly Problem: { readonly content: Content } };
  };
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With the base of the API. */
  readonly path: string;
  readonly summary: string;
  /** Null: none in particular. */
  readonly permission: string | null;
  /** Asked by anybody. */
  readonly open: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | null;
  readonly reply: Schema;
  /** The type of its content. */
  readonly replies: string;
}

export interface Group {
  readonly name: string;
  readonly summary: string;
  readonly operations: readonly Operation[];
}

/** Operations by group, in the order of the document. */
export function groupsOf(document: Document): Group[] {
  const base = document.servers[0]?.url ?? '';
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      group: described.tags?.[0] ?? 'Operations',
      operation: operationOf(`${base}${path}`, method, described),
    })),
  );
  const byGroup = Map.groupBy(operations, ({ group }) => group);
  const named = document.tags ?? [...byGroup.keys()].map((name) => ({ name }));
  return named.flatMap(({ name, description = '' }: { name: string; description?: string }) => {
    const all = byGroup.get(name) ?? [];
    return all.length === 0 ? [] : [{ name, summary: description, operations: all.map(({ operation }) => operation) }];
  });
}

function operationOf(path: string, method: string, described: Described): Operation {
  const [[replies, { schema: reply }] = ['', { schema: {} }]] = Object.entries(
    described.responses['200']?.content ?? {},
  );
  return {
    id: described.operationId,
    method: method.toUpperCase(),
    path,
    summary: described.summary,
    permission: described['x-permission'] ?? null,
    open: described.security?.length === 0,
    parameters: described.parameters,
    body: described.requestBody?.content['application/json']?.schema ?? null,
    reply,
    replies,
  };
}

/** Groups with those operations alone in which all words stand somewhere. */
export function found(groups: readonly Group[], text: string): Group[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...groups];
  return groups.flatMap((group) => {
    const operations = group.operations.filter(({ id, method, path, summary, permission, parameters, body }) => {
      const fields = [...parameters.map(({ name }) => name), ...Object.keys(body?.properties ?? {})];
      const all = [group.name, id, method, path, summary, permission ?? '', ...fields].join(' ').toLowerCase();
      return words.every((word) => all.includes(word));
    });
    return operations.length === 0 ? [] : [{ ...group, operations }];
  });
}
