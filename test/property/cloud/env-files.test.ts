import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { readProject } from '../../../src/config/load-project.ts';
import { tempDir } from '../../support/temp.ts';

const NAMES = ['ALPHA', 'BETA', 'GAMMA'] as const;
const FILES = ['.env', '.env.development', '.env.production'] as const;

type Values = Partial<Record<(typeof NAMES)[number], string>>;

const value = fc.stringMatching(/^[A-Za-z0-9:/._-]{1,12}$/);
const values: fc.Arbitrary<Values> = fc.record({ ALPHA: value, BETA: value, GAMMA: value }, { requiredKeys: [] });
const environment = fc.constantFrom('development', 'production');

let root: string;
beforeAll(() => void (root = tempDir('env')));

/** The files as they are said to be; one that is null is not there. */
function write(files: Partial<Record<(typeof FILES)[number], Values | null>>): void {
  for (const file of FILES) {
    const held = files[file] ?? null;
    if (held === null) rmSync(join(root, file), { force: true });
    else
      writeFileSync(
        join(root, file),
        Object.entries(held)
          .map(([name, text]) => `${name}=${text}\n`)
          .join(''),
      );
  }
}

const fileWith = (names: readonly string[], secrets: readonly string[] = []): string => `project: shop
cloud: { project: shop-4711, region: europe-west1 }
services:
  api: { run: node api.js, routes: [/], health: /, env: { LEVEL: plain${names.map((name) => `, ${name}: "\${${name}}"`).join('')} } }
secrets: [${secrets.join(', ')}]
environments: { development: { runtime: cloud-run }, production: { runtime: cloud-run } }
`;

test('properties 25, 26: each environment has the values of its own file over those that all share', async () => {
  const files = fc.record({
    '.env': fc.option(values),
    '.env.development': fc.option(values),
    '.env.production': fc.option(values),
  });
  await fc.assert(
    fc.asyncProperty(files, values, environment, async (written, processEnv, chosen) => {
      write(written);
      const expected: Values = { ...written['.env'], ...written[`.env.${chosen}`], ...processEnv };
      const result = await readProject(fileWith(NAMES), root, { environment: chosen, processEnv });
      const missing = NAMES.filter((name) => expected[name] === undefined);
      if (result.ok) {
        expect(missing).toEqual([]);
        const env = result.project.services[0]?.env ?? {};
        for (const name of NAMES) expect(env[name]?.join('')).toBe(expected[name]);
      } else {
        // Property 28 besides: all of them, at once, each with its place.
        expect(result.problems.map(({ path }) => path)).toEqual(missing.map((name) => `services.api.env.${name}`));
      }
    }),
    { numRuns: 40 },
  );
});

test('property 27: what stands for a secret in a file is a reference to it, or refused; it is never text', async () => {
  const placeholder = fc.constantFrom(...NAMES).map((name) => `\${SECRET_${name}}`);
  const around = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => `"${text}"`,
    (text) => `'${text}'`,
    (text) => `before-${text}`,
    (text) => `"${text}/after"`,
  );
  const where = fc.constantFrom(...FILES.filter((file) => file !== '.env.development'));
  await fc.assert(
    fc.asyncProperty(placeholder, around, where, fc.boolean(), async (secret, written, file, declared) => {
      write({ [file]: { ALPHA: written(secret) } });
      const text = fileWith(['ALPHA'], declared ? ['ALPHA'] : []);
      const result = await readProject(text, root, { environment: 'production', processEnv: {} });
      expect(result.ok).toBe(declared);
      if (!result.ok) {
        expect(result.problems.map(({ code }) => code)).toEqual(['secret-misplaced']);
        return;
      }
      const [service] = result.project.services;
      expect(service?.env['ALPHA']).toEqual([{ secret: 'ALPHA' }]);
      expect(JSON.stringify(result.project)).not.toContain('SECRET_');
    }),
    { numRuns: 40 },
  );
});
