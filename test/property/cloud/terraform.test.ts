import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { desiredOf } from '../../../src/domain/cloud/desired.ts';
import { ownLabels } from '../../../src/domain/cloud/resource.ts';
import { exportTerraform, type TerraformEnvironment } from '../../../src/domain/cloud/terraform/export.ts';
import { cloudConfig, made, SETTING } from '../../support/cloud/arbitrary-config.ts';
import { ARGUMENTS } from '../../support/cloud/google-provider.ts';
import * as some from '../../support/cloud/arbitrary-cloud.ts';
import { formatFaults, parseHcl } from '../../support/hcl.ts';
import { tempDir } from '../../support/temp.ts';

const environment = (name: string): fc.Arbitrary<TerraformEnvironment> => {
  const scope = { project: 'shop', environment: name };
  return fc.tuple(some.config, some.desiredResources(scope)).chain(([config, desired]) => {
    const others = config.services.map(({ service }, index) => [`OTHER_${index}_URL`, [{ serviceUrl: service }]]);
    const env = { MODE: ['${not.filled} "in"'], JWT: [{ secret: 'JWT' }], ...Object.fromEntries(others) };
    return fc.record({
      project: fc.constant('shop'),
      environment: fc.constant(name),
      config: fc.constant({ ...config, services: config.services.map((service) => ({ ...service, env })) }),
      desired: fc.constant(desired),
      observed: some.someObserved(desired),
    });
  });
};

const environments = fc.oneof(
  fc.tuple(environment('production')),
  fc.tuple(environment('staging'), environment('production')),
  fc.tuple(environment('qa-1'), environment('qa_1')),
);

/** Resources by type, then by name. */
type Parsed = Record<string, Record<string, Record<string, unknown>>>;

test('an export is one module for each environment, which HCL can parse', async () => {
  await fc.assert(
    fc.asyncProperty(environments, async (all) => {
      const { files } = exportTerraform(all);
      const parsed = await Promise.all(
        files.map(async (file) => [file.path, (await parseHcl(file.content)) as Parsed] as const),
      );
      const root = parsed.find(([path]) => path === 'main.tf')?.[1];
      const calls = Object.values(root?.module ?? {}) as unknown as { source: string }[][];
      const folders = new Set(calls.map(([call]) => call?.source));
      expect(folders).toEqual(new Set(all.map(({ environment }) => `./environments/${environment}`)));
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    }),
    { numRuns: 8 },
  );
});

test('every resource and every import is written once, and an import leads to a resource that is there', async () => {
  await fc.assert(
    fc.asyncProperty(environment('production'), async (each) => {
      const { files, notes } = exportTerraform([each]);
      const resources: string[] = [];
      const targets: string[] = [];
      for (const { path, content } of files) {
        const parsed = await parseHcl(content);
        for (const [type, byName] of Object.entries((parsed.resource ?? {}) as Parsed)) {
          for (const [name, blocks] of Object.entries(byName)) {
            expect(blocks, `${type}.${name} in ${path}`).toHaveLength(1);
            resources.push(`${type}.${name}`);
          }
        }
        for (const { to } of (parsed.import ?? []) as { to: string }[]) {
          targets.push(to.replace('${module.production.', '').replace('}', ''));
        }
      }
      expect(new Set(resources).size).toBe(resources.length);
      expect(new Set(targets).size).toBe(targets.length);
      expect(resources).toEqual(expect.arrayContaining(targets));
      expect(notes.filter((note) => !note.startsWith('No image is known of'))).toEqual([]);
      const members = targets.filter(
        (target) => target.includes('_iam_member.') && !target.startsWith('google_project'),
      );
      expect(targets.length - members.length).toBe(each.observed.length);
      const services = each.config.runsServices ? each.config.services : [];
      const extra = services.filter((service) => service.public).length;
      const readable = each.desired.filter((one) => one.kind === 'bucket' && one.attributes.public).length;
      expect(resources.length).toBe(each.desired.length + services.length + extra + readable);
    }),
    { numRuns: 8 },
  );
});

test('terraform fmt -check passes on every export', async () => {
  const files = fc
    .sample(environments, 20)
    .flatMap((all, index) =>
      exportTerraform(all).files.map(({ path, content }) => ({ path: `e${index}/${path}`, content })),
    );
  expect(await formatFaults(tempDir('export'), files)).toBeNull();
});

/** What real files come to. */
const fromFile: fc.Arbitrary<TerraformEnvironment> = cloudConfig.chain((config) => {
  const env = {
    API: [{ serviceUrl: config.services[0]?.service ?? 'none' }, '/${v1}'],
    KEY: [{ secret: 'DATABASE_URL' }],
  };
  const services = config.services.map((service) => ({ ...service, env: { ...service.env, ...env, PORT: ['1'] } }));
  const whole = { ...config, services };
  const desired = desiredOf(whole, SETTING);
  const { project, environment } = SETTING;
  return fc.subarray(desired.map(made)).map((observed) => ({
    project,
    environment,
    config: whole,
    desired,
    observed,
  }));
});

test('a file’s export has every resource, parses, and holds no value of a secret', async () => {
  await fc.assert(
    fc.asyncProperty(fromFile, async (each) => {
      const { files, notes } = exportTerraform([each]);
      const resources: string[] = [];
      for (const { content } of files) {
        const { resource = {} } = (await parseHcl(content)) as Parsed;
        for (const [type, byName] of Object.entries(resource)) {
          resources.push(...Object.keys(byName).map((name) => `${type}.${name}`));
        }
      }
      const services = each.config.runsServices ? each.config.services : [];
      const wanted = each.desired.filter(({ kind }) => kind !== 'service').length + services.length;
      const public_ =
        services.filter((one) => one.public).length + each.config.buckets.filter((one) => one.public).length;
      expect(resources.length).toBe(wanted + public_);
      // Those without an id of the provider are said.
      const nameless = each.observed.filter(({ kind }) =>
        ['uptime-check', 'alert-policy', 'alert-channel', 'budget'].includes(kind),
      );
      const imageless = services.some(
        ({ name, image }) =>
          image === null &&
          !each.observed.some((one) => one.kind === 'service' && one.name === name && one.attributes.image !== null),
      );
      expect(notes.length).toBe(nameless.length + (imageless ? 1 : 0));
      if (imageless) expect(notes.at(-1)).toContain(`TF_VAR_`);
      const text = files.map(({ content }) => content).join('');
      if (services.length > 0)
        expect(text).toContain(`value = "https://${services[0]?.name ?? ''}-\${var.project_number}`);
      expect(text).not.toContain('name  = "PORT"');
      expect(text).not.toMatch(/secret_data|google_secret_manager_secret_version/);
    }),
    { numRuns: 8 },
  );
});

/** `settings.tier` for each argument of a resource, as the parser reads it. */
function argumentsIn(read: unknown, before = ''): string[] {
  return Object.entries(read as Record<string, unknown>).flatMap(([name, value]) => {
    const blocks = Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
    const path = `${before}${name}`;
    return blocks.length === 0 ? [path] : blocks.flatMap((each) => argumentsOrSelf(each, path));
  });
}
const argumentsOrSelf = (read: unknown, path: string): string[] => {
  const inside = argumentsIn(read, `${path}.`);
  return inside.length === 0 ? [path] : inside;
};

test('arguments have the names that Google’s provider 6.x gives them', async () => {
  const ofTerraform = ['depends_on', 'lifecycle.ignore_changes'];
  await fc.assert(
    fc.asyncProperty(fromFile, async (each) => {
      const { files } = exportTerraform([each]);
      const { resource = {} } = (await parseHcl(files.map(({ content }) => content).join('\n'))) as Parsed;
      for (const [type, byName] of Object.entries(resource)) {
        const blocks = Object.values(byName) as unknown as object[][];
        const used = blocks.flatMap((each) => each.flatMap((one) => argumentsIn(one)));
        expect([...(ARGUMENTS[type] ?? []), ...ofTerraform], type).toEqual(expect.arrayContaining([...new Set(used)]));
      }
    }),
    { numRuns: 8 },
  );
});

test('terraform fmt -check passes on the export of every file', async () => {
  const files = fc
    .sample(fromFile, 12)
    .flatMap((each, index) =>
      exportTerraform([each]).files.map(({ path, content }) => ({ path: `e${index}/${path}`, content })),
    );
  expect(await formatFaults(tempDir('export'), files)).toBeNull();
});

test('an export of the same is the same, byte for byte, and bears the labels', () => {
  fc.assert(
    fc.property(environments, (all) => {
      const first = exportTerraform(all);
      expect(exportTerraform(structuredClone(all))).toEqual(first);
      const labelled = all.some(({ desired }) => desired.some(({ kind }) => kind === 'bucket'));
      if (labelled)
        expect(JSON.stringify(first.files)).toContain(
          ownLabels({ project: 'shop', environment: 'x' })['evenkeel-project'],
        );
    }),
    { numRuns: 40 },
  );
});
