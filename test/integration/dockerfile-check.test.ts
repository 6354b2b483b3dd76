import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDockerfile, findingInWords } from '../../src/domain/cloud/dockerfile/check.ts';
import { leftOut, packageIn } from '../../src/domain/cloud/dockerfile/workspace.ts';
import { readDockerIgnore } from '../../src/drivers/build/docker/docker-ignore.ts';
import { inspectBuild } from '../../src/drivers/build/docker/inspect-build.ts';
import { parseDockerfile } from '../../src/drivers/build/docker/parse-dockerfile.ts';
import { readWorkspace } from '../../src/drivers/build/docker/read-workspace.ts';
import { tempDir } from '../support/temp.ts';

type Files = Record<string, string | object>;

function project(files: Files): string {
  const root = tempDir('dockerfile');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

const good = `
# syntax=docker/dockerfile:1
ARG NODE=24
FROM node:\${NODE}-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/database/package.json packages/database/
COPY apps/api/package.json apps/api/
RUN npm ci
COPY packages/shared packages/shared
COPY packages/database packages/database
COPY apps/api apps/api
RUN npx prisma generate --schema packages/database/prisma/schema.prisma \\
    # between
    && npm run build --workspace apps/api
FROM node:\${NODE}-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/packages ./packages
COPY --from=build /app/apps/api/dist ./apps/api/dist
RUN npm ci --omit=dev
RUN <<EOF
npx prisma generate --schema packages/database/prisma/schema.prisma
EOF
CMD ["node", "apps/api/dist/main.js"]
`;

const system: Files = {
  'package.json': { name: 'clone', workspaces: ['apps/*', 'packages/*'] },
  'apps/api/package.json': { name: '@clone/api', dependencies: { '@clone/shared': '*', express: '5' } },
  'apps/face/package.json': { name: '@clone/face', dependencies: {} },
  'packages/shared/package.json': { name: '@clone/shared', dependencies: { '@clone/database': '*' } },
  'packages/database/package.json': { name: '@clone/database', dependencies: { '@prisma/client': '6' } },
  'packages/database/prisma/schema.prisma': 'generator client { provider = "prisma-client-js" }',
  'packages/other/package.json': { name: '@clone/other' },
  'packages/other/node_modules/x/package.json': { name: 'x' },
  'apps/api/Dockerfile': good,
};

async function findings(files: Files, more: Partial<Parameters<typeof inspectBuild>[0]> = {}): Promise<string[]> {
  const root = project(files);
  const place = { root, service: 'api', dir: 'apps/api', dockerfile: 'apps/api/Dockerfile', context: '.', ...more };
  return checkDockerfile(await inspectBuild(place)).map((each) => `${each.severity} ${findingInWords(each)}`);
}

const changed = (from: string | RegExp, to: string): Files => {
  const text = good.replace(from, to);
  expect(text).not.toBe(good);
  return { ...system, 'apps/api/Dockerfile': text };
};

test('properties 11 to 13: a Dockerfile as it should be has no findings', async () => {
  expect(await findings(system)).toEqual([]);
});

test('property 11: one stage, or stages that nothing is taken from, are said with line and remedy', async () => {
  expect(
    await findings({ ...system, 'apps/api/Dockerfile': 'FROM node:24\nCOPY . .\nRUN npx prisma generate\n' }),
  ).toEqual([
    'error apps/api/Dockerfile:1: there is one stage only, so the image carries its compilers, sources and development packages: build in a stage of its own (FROM … AS build), and COPY --from=build what runs into a last one',
  ]);
  const apart = await findings({
    ...system,
    'apps/api/Dockerfile':
      'FROM node:24 AS build\nRUN npx prisma generate\nFROM node:24\nCOPY . .\nRUN npx prisma generate\n',
  });
  expect(apart).toEqual([expect.stringContaining('Dockerfile:3: the last stage takes nothing from the others')]);
  expect(await findings({ ...system, 'apps/api/Dockerfile': '# nothing\n' })).toEqual([
    expect.stringContaining('there is no FROM in it'),
  ]);
});

test('property 12: a package that is needed, however indirectly, has to be in the last stage', async () => {
  const found = await findings(changed('/app/packages ./packages', '/app/packages/shared ./packages/shared'));
  expect(found).toEqual([
    'error apps/api/Dockerfile:17: @clone/database (packages/database) is not in the last stage, but @clone/api needs it when it runs: COPY --from=build its folder into the last stage',
  ]);
});

test('property 12: a package that nobody needs is not copied', async () => {
  const found = await findings(
    changed('COPY apps/api apps/api', 'COPY apps/api apps/api\nCOPY packages/other packages/other'),
  );
  expect(found).toEqual([
    expect.stringContaining('Dockerfile:14: @clone/other (packages/other) is copied, but @clone/api does not need it'),
  ]);
  expect(await findings(changed('COPY apps/api apps/api', 'COPY . .'))).toEqual([]);
});

test('property 12: a package that is needed has to be in the build context', async () => {
  expect(await findings({ ...system, '.dockerignore': 'packages\n!packages/database\n!packages/shared\n' })).toEqual(
    [],
  );
  expect(await findings({ ...system, '.dockerignore': 'packages/*\n!packages/shared\n' })).toEqual([
    expect.stringContaining('@clone/database (packages/database) is kept out of the build context by .dockerignore'),
  ]);
  const inside = await findings(system, { context: 'apps/api' });
  expect(inside.filter((each) => each.includes('is outside of the build context apps/api'))).toHaveLength(2);
});

test('property 12: what a service has no part in is not sent to its build', async () => {
  const root = project(system);
  const place = { root, service: 'api', dir: 'apps/api', dockerfile: 'apps/api/Dockerfile' };
  expect((await inspectBuild({ ...place, context: '.' })).leaveOut).toEqual(['apps/face', 'packages/other']);
  expect((await inspectBuild({ ...place, context: 'packages' })).leaveOut).toEqual(['other']);
  const workspace = await readWorkspace(root);
  const api = packageIn(workspace, 'apps/api');
  expect(workspace.packages.map(({ dir }) => dir)).toEqual([
    'apps/api',
    'apps/face',
    'packages/database',
    'packages/other',
    'packages/shared',
  ]);
  expect(api === null ? null : leftOut(workspace, api)).toEqual(['apps/face', 'packages/other']);
});

test('property 12: where a bundler may have put a package elsewhere, its absence is a warning', async () => {
  const found = await findings(changed('COPY --from=build /app/packages ./packages\n', ''));
  expect(found.every((each) => each.startsWith('error'))).toBe(true);
  const bundled = changed('COPY --from=build /app/packages ./packages\n', '');
  const text = String(bundled['apps/api/Dockerfile']).replace('npm run build', 'npx esbuild --bundle && npm run build');
  const warned = await findings({ ...bundled, 'apps/api/Dockerfile': text });
  expect(warned).toHaveLength(2);
  expect(warned.every((each) => each.startsWith('warning') && each.includes('unless it is in a bundle'))).toBe(true);
});

test('property 13: the client of Prisma is generated in both stages', async () => {
  expect(await findings(changed(/RUN <<EOF[^]*EOF\n/, ''))).toEqual([
    expect.stringContaining('error apps/api/Dockerfile:17: the last stage does not generate the client of Prisma'),
  ]);
  expect(
    await findings(changed('npx prisma generate --schema packages/database/prisma/schema.prisma \\', 'true \\')),
  ).toEqual([
    expect.stringContaining('error apps/api/Dockerfile:4: no stage before the last one generates the client of Prisma'),
  ]);
  const copied = changed(/RUN <<EOF[^]*EOF\n/, 'COPY --from=build /app/node_modules ./node_modules\n');
  expect(await findings(copied)).toEqual([
    expect.stringContaining('warning apps/api/Dockerfile:17: the client of Prisma is copied'),
  ]);
});

test('property 13: a script that generates it counts, and one that an install runs too', async () => {
  const byInstall = changed(/RUN <<EOF[^]*EOF\n/, '');
  const database = { name: '@clone/database', dependencies: { '@prisma/client': '6' } };
  const scripts = { postinstall: 'npm run client', client: 'prisma generate' };
  expect(await findings({ ...byInstall, 'packages/database/package.json': { ...database, scripts } })).toEqual([]);
  const without = String(byInstall['apps/api/Dockerfile']).replace(
    'npm ci --omit=dev',
    'npm ci --omit=dev --ignore-scripts',
  );
  const ignoring = {
    ...byInstall,
    'apps/api/Dockerfile': without,
    'packages/database/package.json': { ...database, scripts },
  };
  expect(await findings(ignoring)).toHaveLength(1);
});

test('a service without Prisma, or without packages, is not asked for them', async () => {
  const face = {
    ...system,
    'apps/face/Dockerfile': 'FROM python:3 AS build\nRUN make\nFROM python:3-slim\nCOPY --from=build /out /out\n',
  };
  expect(await findings(face, { service: 'face', dir: 'apps/face', dockerfile: 'apps/face/Dockerfile' })).toEqual([]);
  const plain = {
    Dockerfile: 'FROM golang AS build\nRUN go build\nFROM scratch\nCOPY --from=build /go/bin/app /app\n',
  };
  expect(await findings(plain, { dir: '.', dockerfile: 'Dockerfile' })).toEqual([]);
});

test('a Dockerfile that is not there is an error with what to do', async () => {
  await expect(findings({})).rejects.toMatchObject({ code: 'dockerfile-missing', exit: 1 });
});

test('a Dockerfile is read with its arguments, quoted paths, here-documents and continued lines', () => {
  const { args, stages } = parseDockerfile(good, 'Dockerfile');
  expect(args).toEqual({ NODE: '24' });
  expect(stages.map(({ name, from, line }) => [name, from, line])).toEqual([
    ['build', 'node:${NODE}-slim', 4],
    [null, 'node:${NODE}-slim', 17],
  ]);
  expect(stages[1]?.instructions.at(-1)).toMatchObject({
    do: 'run',
    command: expect.stringContaining('npx prisma generate'),
  });
  const quoted = parseDockerfile(
    'FROM a AS B\nCOPY --from=0 --chown=1:1 ["a b", "c d", "/e f/"]\nRUN ["npx", "prisma", "generate"]\nENV A=1 B="2 3"\nADD only\n',
    'D',
  );
  expect(quoted.stages[0]?.instructions).toEqual([
    { do: 'copy', line: 2, from: '0', sources: ['a b', 'c d'], target: '/e f/' },
    { do: 'run', line: 3, command: 'npx prisma generate' },
    { do: 'set', line: 4, name: 'A', value: '1' },
    { do: 'set', line: 4, name: 'B', value: '2 3' },
  ]);
});

test('workspaces of pnpm are found, and what they take away is not', async () => {
  const root = project({
    'package.json': '{ not json',
    'pnpm-workspace.yaml': 'packages:\n  - apps/**\n  - "!**/test/**"\n',
    'apps/a/package.json': { name: 'a' },
    'apps/a/test/fixture/package.json': { name: 'no' },
    'apps/deep/er/b/package.json': { devDependencies: { a: '*' } },
  });
  const { packages } = await readWorkspace(root);
  expect(packages.map(({ name, dir }) => [name, dir])).toEqual([
    ['a', 'apps/a'],
    ['apps/deep/er/b', 'apps/deep/er/b'],
  ]);
});

test('patterns of .dockerignore begin at the context, and one beside the Dockerfile goes before', async () => {
  const root = project({
    '.dockerignore': 'dist\n**/*.log\n/tmp/\n# a comment\n!tmp/keep\n',
    'b/D.dockerignore': 'only\n',
    'b/D': '',
  });
  const { out } = await readDockerIgnore(root, join(root, 'Dockerfile'));
  expect(['dist', 'dist/a', 'a/dist', 'a/b.log', 'tmp/x', 'tmp', ''].map(out)).toEqual([
    true,
    true,
    false,
    true,
    true,
    true,
    false,
  ]);
  const other = await readDockerIgnore(root, join(root, 'b/D'));
  expect(['dist', 'only'].map(other.out)).toEqual([false, true]);
});
