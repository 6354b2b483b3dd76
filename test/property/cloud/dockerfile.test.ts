import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksBuild, checkDockerfile } from '../../../src/domain/cloud/dockerfile/check.ts';
import type { Dockerfile, Finding, Instruction, Stage } from '../../../src/domain/cloud/dockerfile/stages.ts';
import { leftOut, neededBy, type Package, type Workspace } from '../../../src/domain/cloud/dockerfile/workspace.ts';
import { imageNames, imageOf, timeTag } from '../../../src/domain/cloud/image-tags.ts';

interface System {
  workspace: Workspace;
  self: Package;
  prisma: boolean;
}

/** Packages that need each other however they like, in circles too; the first one is the service. */
const system: fc.Arbitrary<System> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(7), { maxLength: 3 }),
      tools: fc.array(fc.nat(7), { maxLength: 2 }),
      prisma: fc.integer({ min: 0, max: 5 }).map((each) => each === 0),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) => {
    const packages = all.map(({ needs, tools, prisma }, index): Package => ({
      name: `@x/p${index}`,
      dir: index === 0 ? 'apps/api' : `packages/p${index}`,
      dependencies: [...needs.map((each) => `@x/p${each}`), ...(prisma ? ['@prisma/client'] : []), 'express'],
      devDependencies: tools.map((each) => `@x/p${each}`),
      scripts: {},
    }));
    const self = packages[0] as Package;
    const workspace = { root: null, packages };
    const used = [self, ...neededBy(workspace, self).run];
    return { workspace, self, prisma: used.some(({ dependencies }) => dependencies.includes('@prisma/client')) };
  });

const copy = (from: string | null, dir: string): Instruction => ({
  do: 'copy',
  line: 1,
  from,
  sources: [from === null ? dir : `/app/${dir}`],
  target: from === null ? `/app/${dir}` : `./${dir}`,
});
const run = (command: string): Instruction => ({ do: 'run', line: 1, command });
const workdir: Instruction = { do: 'workdir', line: 1, path: '/app' };

/** Built and run with what it needs, one folder at a time or all at once. */
const goodStages = ({ workspace, self, prisma }: System, whole: boolean): [Stage, Stage] => {
  const { run: needed, build } = neededBy(workspace, self);
  const client = prisma ? [run('npx prisma generate')] : [];
  return [
    {
      name: 'build',
      from: 'node:24',
      line: 1,
      instructions: [
        workdir,
        ...(whole ? [copy(null, '.')] : build.map(({ dir }) => copy(null, dir))),
        run('npm ci'),
        ...client,
      ],
    },
    {
      name: null,
      from: 'node:24-slim',
      line: 20,
      instructions: [workdir, ...[self, ...needed].map(({ dir }) => copy('build', dir)), ...client],
    },
  ];
};

const check = (each: System, stages: Stage[], ignored: string[] = []): Finding[] => {
  const dockerfile: Dockerfile = { file: 'Dockerfile', args: {}, stages };
  return checkDockerfile({
    dockerfile,
    context: '.',
    self: each.self,
    workspace: each.workspace,
    ignored,
    prisma: each.prisma,
  });
};

const without = (stage: Stage, index: number): Stage => ({
  ...stage,
  instructions: stage.instructions.toSpliced(index, 1),
});

test('properties 11 to 13: a Dockerfile that does as it should has no findings, whatever needs what', () => {
  fc.assert(
    fc.property(system, fc.boolean(), (each, whole) => {
      expect(check(each, goodStages(each, whole))).toEqual([]);
    }),
  );
});

test('property 11: one stage alone never passes', () => {
  fc.assert(
    fc.property(system, (each) => {
      const [, last] = goodStages(each, false);
      const findings = check(each, [last]);
      expect(blocksBuild(findings)).toBe(true);
      expect(findings.map(({ code }) => code)).toContain('dockerfile-one-stage');
    }),
  );
});

test('property 12: each package left out of the last stage is named, and no other', () => {
  fc.assert(
    fc.property(system, fc.nat(), fc.boolean(), (each, pick, whole) => {
      const { run: needed } = neededBy(each.workspace, each.self);
      const victim = needed[pick % Math.max(1, needed.length)];
      if (victim === undefined) return;
      const [build, last] = goodStages(each, whole);
      const at = last.instructions.findIndex((one) => one.do === 'copy' && one.sources[0] === `/app/${victim.dir}`);
      const missing = check(each, [build, without(last, at)]).filter(
        ({ code }) => code === 'dockerfile-package-missing',
      );
      expect(missing.map(({ what }) => what)).toEqual([`${victim.name} (${victim.dir}) is not in the last stage`]);
    }),
  );
});

test('property 12: each package kept out of the context is named, unless nobody needs it', () => {
  fc.assert(
    fc.property(system, fc.nat(), (each, pick) => {
      const { packages } = each.workspace;
      const victim = packages[pick % packages.length] as Package;
      const findings = check(each, goodStages(each, false), [victim.dir]);
      const needed = neededBy(each.workspace, each.self).build.includes(victim);
      expect(findings.some(({ code }) => code === 'dockerfile-package-ignored')).toBe(needed);
    }),
  );
});

test('property 12: what is sent to a build and what is left out make up the workspace, and nothing needed is left out', () => {
  fc.assert(
    fc.property(system, ({ workspace, self }) => {
      const { build, run: needed } = neededBy(workspace, self);
      const out = leftOut(workspace, self);
      expect(new Set([...build.map(({ dir }) => dir), ...out])).toEqual(
        new Set(workspace.packages.map(({ dir }) => dir)),
      );
      expect(out.filter((dir) => build.some((each) => each.dir === dir))).toEqual([]);
      // Whatever one of them needs is among them.
      for (const one of [self, ...needed]) {
        for (const name of one.dependencies.filter((each) => each.startsWith('@x/'))) {
          if (workspace.packages.some((each) => each.name === name)) {
            expect([self, ...needed].map((each) => each.name)).toContain(name);
          }
        }
      }
    }),
  );
});

test('property 12: a package that nobody needs does not get in by name', () => {
  fc.assert(
    fc.property(system, (each) => {
      const [out] = leftOut(each.workspace, each.self);
      const [build, last] = goodStages(each, false);
      if (out === undefined) return;
      const findings = check(each, [{ ...build, instructions: [...build.instructions, copy(null, out)] }, last]);
      expect(findings.map(({ code, severity }) => [code, severity])).toEqual([['dockerfile-package-extra', 'error']]);
    }),
  );
});

test('property 13: Prisma’s client is missed in whichever stage does not generate it', () => {
  fc.assert(
    fc.property(
      system.filter(({ prisma }) => prisma),
      fc.boolean(),
      fc.boolean(),
      (each, first, second) => {
        const [build, last] = goodStages(each, false);
        const drop = (stage: Stage, keep: boolean) => (keep ? stage : without(stage, stage.instructions.length - 1));
        const findings = check(each, [drop(build, first), drop(last, second)]);
        expect(findings.map(({ code, line }) => [code, line])).toEqual([
          ...(first ? [] : [['dockerfile-prisma', 1]]),
          ...(second ? [] : [['dockerfile-prisma', 20]]),
        ]);
        expect(blocksBuild(findings)).toBe(!first || !second);
      },
    ),
    { numRuns: 50 },
  );
});

test('property 10: every image has a tag of its time and latest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7_258_118_400_000 }), fc.nat(10 ** 9), (at, later) => {
      const iso = new Date(at).toISOString();
      expect(timeTag(at)).toBe(iso.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-'));
      const place = { region: 'europe-west1', cloudProject: 'shop-1', repository: 'shop', name: 'api' };
      const [own, latest] = imageNames(imageOf(place), at);
      expect(own).toMatch(/^europe-west1-docker\.pkg\.dev\/shop-1\/shop\/api:\d{8}-\d{6}$/);
      expect(latest).toBe('europe-west1-docker.pkg.dev/shop-1/shop/api:latest');
      expect(timeTag(at + 1000 + later) > timeTag(at)).toBe(true);
    }),
  );
});
