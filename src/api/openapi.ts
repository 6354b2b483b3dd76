import { z } from 'zod';
import type { Operation, StreamOperation } from './contract/operation.ts';
import { KEY_HEADER } from './contract/headers.ts';
import { operations } from './contract/operations.ts';
import { BASE, inQuery, isChanging, type OperationId, routeOf } from './contract/paths.ts';
import { OPERATION_GROUPS } from './operation-groups.ts';
import { problemSchema } from './contract/problem.ts';

type Json = { [key: string]: unknown };

const KEY: Json = {
  name: KEY_HEADER,
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 200 },
  description:
    'Of your choice, such as a UUID: the same call with the same key is carried out once, and answered alike',
};

/**
 * The contract as an OpenAPI 3.1 document. Schemas that have an id stand in it once, under that name.
 * https://spec.openapis.org/oas/v3.1.1
 */
export function openApi(version: string): Json {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries(operations) as [OperationId, Operation | StreamOperation][]) {
    const { method, path, names } = routeOf(id);
    const url = path.slice(BASE.length).replaceAll(/:(\w+)/g, '{$1}');
    (paths[url] ??= {})[method.toLowerCase()] = described(id, operation, { method, names }, schemas);
  }
  const problem = schemaOf(problemSchema, 'output', schemas);
  return {
    openapi: '3.1.1',
    info: {
      title: 'evenkeel',
      version,
      description:
        'Ships releases, watches what runs and takes back what is bad. Whatever is refused is answered with a problem document whose `code` is stable.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: BASE }],
    security: [{ token: [] }],
    tags: OPERATION_GROUPS.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Problem: {
          description: 'It was refused, or went wrong',
          content: { 'application/problem+json': { schema: problem } },
        },
      },
    },
  };
}

function described(
  id: OperationId,
  operation: Operation | StreamOperation,
  { method, names }: { method: string; names: readonly string[] },
  schemas: Record<string, Json>,
): Json {
  const input = schemaOf(operation.input, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const properties = Object.entries(input.properties ?? {});
  const required = new Set(input.required);
  const parameter = (where: 'path' | 'query', [name, schema]: [string, Json]): Json => ({
    name,
    in: where,
    required: where === 'path' || required.has(name),
    schema,
    ...(typeof schema['description'] === 'string' ? { description: schema['description'] } : {}),
  });
  const rest = properties.filter(([name]) => !names.includes(name));
  const asks = inQuery(method as 'GET');
  const body = {
    type: 'object',
    properties: Object.fromEntries(rest),
    required: rest.map(([name]) => name).filter((name) => required.has(name)),
  };
  const reply = schemaOf(operation.reply, 'output', schemas);
  const events = 'stream' in operation;
  const type = events ? 'text/event-stream' : 'download' in operation ? 'application/octet-stream' : 'application/json';
  const needs = operation.permission === null ? '' : `Needs the permission \`${operation.permission}\`.`;
  return {
    operationId: id,
    summary: operation.summary,
    tags: OPERATION_GROUPS.filter(({ operations: ids }) => ids.includes(id)).map(({ name }) => name),
    // For programs what `description` says in words.
    'x-permission': operation.permission,
    ...(operation.open === true ? { security: [] } : {}),
    description: `${events ? 'Server-sent events; the data of each is JSON of this schema. ' : ''}${needs}`.trim(),
    parameters: [
      ...properties.filter(([name]) => names.includes(name)).map((each) => parameter('path', each)),
      ...(asks ? rest.map((each) => parameter('query', each)) : []),
      ...(isChanging(id) ? [KEY] : []),
    ],
    ...(asks ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      200: {
        description: events ? 'Events, as they happen' : 'Done',
        content: { [type]: { schema: reply } },
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

/** The schema itself, or, where it has an id, a reference to it; those that it refers to are put into `schemas`. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, Json>): Json {
  const {
    $schema: _,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: open }) as Json;
  for (const [name, definition] of Object.entries($defs as Record<string, Json>)) schemas[name] = pointed(definition);
  const { id } = z.globalRegistry.get(schema) ?? {};
  if (id === undefined) return pointed(own);
  // Zod refers to it itself where others do so as well.
  if (own['$ref'] === undefined) schemas[id] = pointed(own);
  return { $ref: `#/components/schemas/${id}` };
}

/** A later version may say more than this one: nobody should refuse what they do not know. */
function open({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown; id?: string } }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  // Its name in the document says it.
  delete jsonSchema.id;
}

/** References to what stood beside a schema point to the components of the document. */
function pointed(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
