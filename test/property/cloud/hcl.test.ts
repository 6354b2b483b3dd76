import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { block, comment, type Hcl, type Item, raw, set, writeHcl } from '../../../src/domain/cloud/terraform/hcl.ts';
import { formatFaults, parseHcl } from '../../support/hcl.ts';
import { tempDir } from '../../support/temp.ts';

const name = fc
  .stringMatching(/^[a-z][a-z_]{0,11}$/)
  .filter((each) => !['for', 'if', 'in', 'null', 'true'].includes(each));
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('$', '%', '{', '}', '"', '\\', 'a', '\n', ' ', '~', 'é'), maxLength: 12 }),
);
const key = fc.oneof(
  name,
  fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/),
  fc.constantFrom('for', 'null', 'true', 'a.b/c'),
);
const value = fc.letrec<{ value: Hcl }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.integer(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
      .map((each) => Math.round(each * 1000) / 1000),
    fc.boolean(),
    fc.constant(raw('google_storage_bucket.uploads.name')),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;
const items = fc.letrec<{ body: Item[] }>((tie) => ({
  body: fc.uniqueArray(
    fc.oneof(
      { depthSize: 'small' },
      fc.tuple(name, value).map(([attribute, each]) => set(attribute, each)),
      fc.constant(comment('why this is here')),
      fc
        .tuple(name, tie('body'), fc.array(name, { maxLength: 2 }))
        .map(([type, body, labels]) => block(type, body, ...labels)),
    ),
    {
      maxLength: 6,
      selector: (item) => ('attribute' in item ? item.attribute : 'block' in item ? item.block : Symbol('comment')),
    },
  ),
})).body;

const seed = { numRuns: 60 };

test('text is read back as it was, and nothing in it is filled in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
      const read = await parseHcl(writeHcl(texts.map((each, index) => set(`t${index}`, each))));
      // The parser hands text out as a template, that is with its signs doubled.
      const plain = texts.map((_, index) => String(read[`t${index}`]).replaceAll(/([$%])\1\{/g, '$1{'));
      expect(plain).toEqual(texts.map((each) => each.normalize('NFC')));
    }),
    seed,
  );
});

test('whatever is written can be parsed', async () => {
  await fc.assert(
    fc.asyncProperty(items, async (body) => {
      await parseHcl(writeHcl(body));
    }),
    seed,
  );
});

test('terraform fmt changes nothing in whatever is written', async () => {
  const files = fc.sample(items, 60).map((body, index) => ({ path: `f${index}.tf`, content: writeHcl(body) }));
  expect(await formatFaults(tempDir('hcl'), files)).toBeNull();
});
