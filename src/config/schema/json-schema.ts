import { z } from 'zod';

import { file } from './file.ts';

export type JsonSchema = Record<string, unknown>;

/** The JSON Schema of `evenkeel.yaml` for editors: completion, hover help and errors while typing. */
export function jsonSchema(): JsonSchema {
  const schema: JsonSchema = z.toJSONSchema(file, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema: node }) => {
      const written: JsonSchema = node;
      allowVariables(written);
    },
  });
  const { $schema, ...rest } = schema;
  return { $schema, title: 'evenkeel.yaml', description: 'One file that describes a system for evenkeel.', ...rest };
}

const FILLED = '\\$\\{';

/** `${VAR}` may stand for any value, and is text when the editor sees it. */
function allowVariables(node: JsonSchema): void {
  const { type, pattern } = node;
  delete node['propertyNames'];
  if (node['acceptsScalars'] === true) {
    node['type'] = ['string', 'number', 'boolean'];
  } else if (type === 'integer' || type === 'number' || type === 'boolean') {
    if (node['const'] === undefined) {
      const own = node['acceptsPattern'];
      node['type'] = [type, 'string'];
      node['pattern'] = typeof own === 'string' ? `${own}|${FILLED}` : FILLED;
    }
  } else if (type === 'string' && typeof pattern === 'string' && node['literal'] !== true) {
    node['pattern'] = `${pattern}|${FILLED}`;
  } else if (type === 'string' && Array.isArray(node['enum'])) {
    const { enum: values } = node;
    delete node['enum'];
    delete node['type'];
    node['anyOf'] = [{ enum: values }, { type: 'string', pattern: FILLED }];
  }
  if (node['format'] !== undefined) delete node['format'];
  delete node['literal'];
  delete node['acceptsScalars'];
  delete node['acceptsPattern'];
}

/** As it is published in `schema/evenkeel.schema.json`. */
export function jsonSchemaText(): string {
  // Lists of plain values on one line, as the formatter of the repository has them.
  const text = JSON.stringify(jsonSchema(), null, 2).replaceAll(/\[\s+("[^\]{}]*?")\s+\]/g, (list) => {
    const line = list.replaceAll(/\s*\n\s*/g, ' ');
    return `[${line.slice(2, -2)}]`;
  });
  return `${text}\n`;
}
