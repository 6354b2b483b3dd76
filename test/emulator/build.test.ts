import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildImage } from '../../src/emulator/build/builder.ts';
import type { BuildOptions } from '../../src/emulator/build/building.ts';
import { BuildFailure } from '../../src/emulator/build/image.ts';
import { ImageStore } from '../../src/emulator/build/image-store.ts';
import { standIns } from '../../src/emulator/build/tools.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

function contextOf(files: Record<string, string>): string {
  const folder = tempDir('context');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function builder() {
  const home = tempDir('images');
  const store = new ImageStore(join(home, 'images'));
  const place = {
    store,
    scratch: join(home, 'scratch'),
    tools: await standIns(join(home, 'tools')),
    hostEnv: {},
    hostPath: process.env['PATH'] ?? '',
    now: () => 1_000,
  };
  const log: string[] = [];
  const build = (files: Record<string, string>, more: Partial<BuildOptions> = {}) =>
    buildImage(
      {
        context: contextOf(files),
        dockerfile: 'Dockerfile',
        buildArgs: {},
        target: null,
        log: (line) => log.push(line),
        signal: new AbortController().signal,
        ...more,
      },
      place,
    );
  return { build, log, store, home };
}

const MULTI_STAGE = `# syntax=docker/dockerfile:1
ARG VERSION=24
FROM node:\${VERSION}-alpine AS build
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm node -e "require('fs').mkdirSync('dist')" && \\
    # a comment in between
    node -e "require('fs').writeFileSync('/app/dist/main.js', 'console.log(1)')"
COPY src ./src

FROM node:24-slim
ENV NODE_ENV=production GREETING="two words"
WORKDIR /srv/app
COPY --from=build --chown=node:node /app/dist ./dist
COPY --from=build /app/src/a.txt /data/
USER node
EXPOSE 8080
HEALTHCHECK CMD curl localhost
CMD ["node", "dist/main.js"]
`;

describe('building from a Dockerfile', () => {
  test('stages, arguments, commands and copies give an image with its configuration', async () => {
    const { build, log } = await builder();
    const image = await build({
      Dockerfile: MULTI_STAGE,
      'package.json': '{}',
      'src/a.txt': 'a',
      'src/secret.env': 'x',
      '.dockerignore': '**/*.env\n',
    });
    expect(image.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(image.config).toMatchObject({
      env: { NODE_ENV: 'production', GREETING: 'two words' },
      workdir: '/srv/app',
      cmd: ['node', 'dist/main.js'],
      entrypoint: null,
      user: 'node',
      ports: [8080],
    });
    expect(readFileSync(join(image.folder, 'srv/app/dist/main.js'), 'utf8')).toBe('console.log(1)');
    expect(readFileSync(join(image.folder, 'data/a.txt'), 'utf8')).toBe('a');
    expect(existsSync(join(image.folder, 'app'))).toBe(false);
    expect(log.join('\n')).toContain('Step 1/15 : ARG VERSION=24');
    expect(log.at(-1)).toBe(`Successfully built ${image.digest}`);
  });

  test('the same content is the same image, another one is not', async () => {
    const { build } = await builder();
    const files = { Dockerfile: 'FROM scratch\nCOPY a /a\n', a: '1' };
    const [first, again, other] = [await build(files), await build(files), await build({ ...files, a: '2' })];
    expect(again.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
  });

  test('builds of the same that end at once make one image', async () => {
    const { build } = await builder();
    const files = { Dockerfile: 'FROM scratch\nCOPY a /a\nENTRYPOINT ["/a"]', a: '1' };
    const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => build(files)));
    expect(others.map(({ digest }) => digest)).toEqual(others.map(() => first?.digest));
    expect(readdirSync(first?.folder ?? '')).toEqual(['a']);
  });

  test('images and their tags are there for the next one who opens the folder', async () => {
    const { build, store, home } = await builder();
    const image = await build({ Dockerfile: 'FROM scratch\nCOPY a /a\nENTRYPOINT ["/a"]', a: '1' });
    await store.tag('us-docker.pkg.dev/p/r/a:v1', image.digest);
    const reopened = new ImageStore(join(home, 'images'));
    expect(reopened.find('us-docker.pkg.dev/p/r/a:v1')).toEqual(image);
    expect(reopened.find(`us-docker.pkg.dev/p/r/a@${image.digest}`)).toEqual(image);
    expect(reopened.find('us-docker.pkg.dev/p/r/a')).toBeNull();
  });

  test('a failing command ends the build with its code and what it said', async () => {
    const { build, log, home } = await builder();
    const failing = build({ Dockerfile: 'FROM node:24\nRUN echo about to fail >&2; exit 7\n' });
    await expect(failing).rejects.toThrow(
      "The command '/bin/sh -c echo about to fail >&2; exit 7' returned a non-zero code: 7",
    );
    await expect(failing).rejects.toMatchObject({ exitCode: 7 });
    expect(log.at(-1)).toBe('about to fail');
    expect(readdirSync(join(home, 'scratch'))).toEqual([]);
  });

  test.each([
    ['FROM node\nCOPY missing /', /"\/missing": not found/],
    ['FROM node\nCOPY *.nothing /x/', /not found/],
    ['FROM node\nCOPY --from=nobody /a /b', /no such stage/],
    ['FROM node\nBOGUS x', /line 2: unknown instruction: BOGUS/],
    ['RUN x', /first instruction must be FROM/],
    ['FROM node\nADD https://example.com/x /x', /fetches nothing/],
    ['FROM node\nRUN ["no-such-program"]', /could not be started/],
  ])('%j is refused and says why', async (text, message) => {
    const { build } = await builder();
    const failing = build({ Dockerfile: text });
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toBeInstanceOf(BuildFailure);
  });

  test('what would change this machine is left out, and its folders are those of the image', async () => {
    const { build, log } = await builder();
    const image = await build({
      Dockerfile: [
        'FROM debian:12',
        'RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*',
        'RUN addgroup app && mkdir -p /var/lib/app && echo 1 > /etc/app.conf && cd / && pwd > /pwd',
      ].join('\n'),
    });
    expect(log.join('\n')).toContain("'apt-get' would change this machine");
    expect(log.join('\n')).toContain('debian:12 is not known here');
    expect(existsSync(join(image.folder, 'var/lib/app'))).toBe(true);
    expect(existsSync('/etc/app.conf')).toBe(false);
    expect(readFileSync(join(image.folder, 'etc/app.conf'), 'utf8')).toBe('1\n');
  });

  test('build arguments reach the commands, and only where they are declared', async () => {
    const { build } = await builder();
    const Dockerfile = 'FROM node\nARG A=default\nARG B\nENV C=$A-${B:-none}\nRUN echo "$A $B $D" > /said\n';
    const image = await build({ Dockerfile }, { buildArgs: { B: 'b', D: 'd' } });
    expect(readFileSync(join(image.folder, 'said'), 'utf8')).toBe('default b \n');
    expect(image.config.env['C']).toBe('default-b');
  });

  test('a stage can be the target, archives are unpacked, files can be written inline', async () => {
    const { build } = await builder();
    const folder = contextOf({ 'in/x.txt': 'x' });
    execFileSync('tar', ['-czf', join(folder, 'in.tar.gz'), '-C', folder, 'in']);
    writeFileSync(
      join(folder, 'Dockerfile'),
      'FROM node AS one\nADD in.tar.gz /unpacked/\nCOPY <<EOF /conf\nhello\nEOF\nFROM one AS two\nRUN exit 1\n',
    );
    const image = await build({}, { context: folder, target: 'one' });
    expect(readFileSync(join(image.folder, 'unpacked/in/x.txt'), 'utf8')).toBe('x');
    expect(readFileSync(join(image.folder, 'conf'), 'utf8')).toBe('hello\n');
  });

  test('a build that is cancelled ends with all it started', async () => {
    const { build, log, home } = await builder();
    const cancel = new AbortController();
    const failing = build(
      { Dockerfile: 'FROM node\nRUN echo started; sleep 300 & sleep 300\n' },
      { signal: cancel.signal },
    );
    const outcome = failing.catch((error: unknown) => error);
    await waitFor(() => log.includes('started'), { what: 'the command to run' });
    cancel.abort(new Error('cancelled'));
    await expect(outcome).resolves.toMatchObject({ message: 'cancelled' });
    expect(readdirSync(join(home, 'scratch'))).toEqual([]);
  });
});
