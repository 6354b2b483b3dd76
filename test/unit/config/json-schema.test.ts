import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { jsonSchema, jsonSchemaText } from '../../../src/config/schema/json-schema.ts';

test('the published schema is the one that evenkeel checks with (else: node scripts/schema.ts)', async () => {
  const published = await readFile(new URL('../../../schema/evenkeel.schema.json', import.meta.url), 'utf8');
  expect(published).toBe(jsonSchemaText());
});

test('every key that a person meets first says what it is for', () => {
  const missing: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties' && typeof value === 'object' && value !== null) {
        for (const [name, property] of Object.entries<object>(value)) {
          if (!('description' in property)) missing.push(`${path}.${name}`);
        }
      }
      visit(value, key === 'properties' ? path : `${path}.${key}`);
    }
  };
  visit(jsonSchema(), '');
  expect(missing).toEqual([]);
});
