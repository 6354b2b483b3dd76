import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEnvFile } from '../../../src/config/env-file.ts';
import { setInEnvText } from '../../../src/lib/env-text.ts';

const heading = 'Addresses of services';
const name = fc.constantFrom('API_URL', 'WEBSOCKET_URL', 'FACE_URL', 'PORT', 'SECRET', 'A');
const url = fc.constantFrom('https://api-1.run.app', 'http://127.0.0.1:1', '');
const value = fc.oneof(
  url,
  fc.string({ maxLength: 12 }),
  fc.constantFrom('a b', 'x#y', ' # z', '"', "it's", '$A', 'a\\n', 'a\nb=c'),
);
const line = fc.oneof(
  fc.constantFrom('', '   ', '# a comment', '#API_URL=old', 'not an assignment', "  # 'indented'"),
  fc.tuple(name, url).map(([key, text]) => `${key}=${text}`),
  fc.tuple(name, url).map(([key, text]) => `export ${key} = ${text}   # why`),
  fc.tuple(name, url).map(([key, text]) => `${key}='${text}'`),
  fc.tuple(name, url).map(([key, text]) => `${key}="${text}\\n\\"" # quoted`),
  fc.tuple(name, name).map(([key, other]) => `${key}="first\n${other}=inside\n"`),
  fc.tuple(name).map(([key]) => `${key}=`),
);
const text = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean())
  .map(
    ([lines, end, ended, bom]) =>
      `${bom ? '\uFEFF' : ''}${lines.join('\n').replaceAll('\n', end)}${ended && lines.length > 0 ? end : ''}`,
  );
const values = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });

const plain = (value: string): string => value.replaceAll('\r\n', '\n');

test('property 35: the values are read back, and all others are as they were', () => {
  fc.assert(
    fc.property(text, values, (before, wanted) => {
      const { text: after } = setInEnvText(before, wanted, { heading });
      const [was, is] = [before, after].map((each) => parseEnvFile(each, 'f').values);
      for (const [key, each] of Object.entries(wanted)) expect(is?.get(key), JSON.stringify(after)).toBe(each);
      for (const [key, each] of was ?? []) {
        if (!Object.hasOwn(wanted, key)) expect(plain(is?.get(key) ?? '')).toBe(plain(each));
      }
      for (const key of is?.keys() ?? []) expect(was?.has(key) || Object.hasOwn(wanted, key)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('property 35: comments, order and line ends are kept', () => {
  fc.assert(
    fc.property(text, values, (before, wanted) => {
      const { text: after, changed } = setInEnvText(before, wanted, { heading });
      const end = before.includes('\r\n') ? '\r\n' : '\n';
      if (before.includes('\r\n')) expect(after.replaceAll('\r\n', '')).not.toContain('\n');
      else expect(after).not.toContain('\r');
      // What does not belong to a value that was set is there, in the same order.
      const rest = [...before.split(end)].filter((each) => /^\s*#|^not/.test(each));
      let from = 0;
      for (const each of rest) {
        from = after.indexOf(each, from);
        expect(from, each).toBeGreaterThanOrEqual(0);
      }
      if (changed.length === 0) expect(after).toBe(before);
      expect(changed.every((each) => Object.hasOwn(wanted, each))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('property 35: writing the same again changes nothing', () => {
  fc.assert(
    fc.property(text, values, (before, wanted) => {
      const once = setInEnvText(before, wanted, { heading });
      expect(setInEnvText(once.text, wanted, { heading })).toEqual({ text: once.text, changed: [] });
    }),
    { numRuns: 300 },
  );
});
