import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { imageBuilder } from '../../src/drivers/cloud/google/build/build-image.ts';
import type { ImageRequest } from '../../src/ports/cloud-build.ts';
import { running } from '../emulator/deployed.ts';
import { ask, endEmulators } from '../emulator/emulated.ts';
import { desiredFor, CONFIG, driverAt, never, quiet, seen } from '../support/google.ts';
import { tempDir } from '../support/temp.ts';

afterEach(endEmulators);

const IMAGE = 'europe-west1-docker.pkg.dev/demo-project/chat-production/api';

/** An emulator with the repository made, and a context with this Dockerfile. */
async function begin(dockerfile: string) {
  const { emulator } = await running();
  const { cloud } = await driverAt(emulator);
  const repository = desiredFor(CONFIG).find(({ kind }) => kind === 'repository');
  if (repository === undefined) throw new Error('no repository');
  await cloud.create(repository, quiet, never());
  const context = tempDir('context');
  for (const [path, text] of Object.entries({
    Dockerfile: dockerfile,
    'src/main.js': 'console.log(1)',
    'node_modules/x.js': 'x',
    '.dockerignore': 'node_modules\n',
  })) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), text);
  }
  const lines: string[] = [];
  const steps: string[] = [];
  const request: ImageRequest = {
    service: 'api',
    context,
    dockerfile: join(context, 'Dockerfile'),
    image: IMAGE,
    tag: '20261121-220000',
  };
  const events = { line: (text: string) => void lines.push(text), step: (doing: string) => void steps.push(doing) };
  const build = (signal = never(), more: Partial<ImageRequest> = {}) =>
    imageBuilder(cloud.google).build({ ...request, ...more }, events, signal);
  return { emulator, cloud, build, lines, steps };
}

describe('building an image', () => {
  test(
    'property 10: it has a tag with the time and `latest`, and the log is followed',
    { timeout: 60_000 },
    async () => {
      const { emulator, cloud, build, lines, steps } = await begin(
        'FROM node:24\nCOPY . .\nRUN echo hello-from-the-build\nCMD ["node", "src/main.js"]\n',
      );
      const built = await build();
      expect(built).toMatchObject({
        image: `${IMAGE}:20261121-220000`,
        tags: ['20261121-220000', 'latest'],
        digest: expect.stringMatching(/^sha256:/),
        joined: false,
      });
      expect(lines.join('\n')).toContain('hello-from-the-build');
      const images = await ask(
        emulator,
        'GET',
        'artifactregistry',
        '/v1/projects/demo-project/locations/europe-west1/repositories/chat-production/dockerImages',
      );
      expect(images.body.dockerImages[0].tags.toSorted()).toEqual(['20261121-220000', 'latest']);
      // The same sources again: they lie there already.
      await build(never(), { tag: '20261121-220100' });
      expect(steps.filter((step) => step.startsWith('uploading'))).toHaveLength(1);
      // What evenkeel made for it bears its labels, and is found before a clean-up.
      expect(await seen(cloud, 'bucket')).toMatchObject([
        { name: 'demo-project-evenkeel-builds', location: 'europe-west1', labels: { 'evenkeel-project': 'chat' } },
      ]);
    },
  );

  test('what was built of the same sources is used again where that is asked for', async () => {
    const { emulator, build, lines } = await begin('FROM node:24\nCOPY . .\nCMD ["node", "src/main.js"]\n');
    const builds = async () =>
      (await ask(emulator, 'GET', 'cloudbuild', '/v1/projects/demo-project/locations/europe-west1/builds')).body.builds
        .length;
    const first = await build();
    const again = await build(never(), { reuse: true, tag: '20261121-220100' });
    expect(again).toMatchObject({ image: first.image, digest: first.digest, reused: true });
    expect(lines.at(-1)).toContain('was built of the same sources');
    // Another service's is another one, and who only says `build` means it.
    expect((await build(never(), { reuse: true, service: 'back', image: `${IMAGE}-back` })).reused).toBeUndefined();
    expect((await build()).reused).toBeUndefined();
    expect(await builds()).toBe(3);
    // One that its repository does not keep any more is built anew.
    const repository = '/v1/projects/demo-project/locations/europe-west1/repositories/chat-production';
    const gone = await ask(emulator, 'DELETE', 'artifactregistry', `${repository}/packages/api`);
    expect(gone.status).toBe(200);
    expect((await build(never(), { reuse: true, tag: '20261121-220200' })).reused).toBeUndefined();
  });

  test('property 14: a failed build shows the end of its log, and has exit 2', async () => {
    const { build, emulator } = await begin('FROM node:24\nCOPY . .\nRUN echo what-went-wrong && exit 3\n');
    const error: unknown = await build().catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'cloud-build-failed',
      exit: 2,
      why: expect.stringContaining('what-went-wrong'),
    });
    const images = await ask(
      emulator,
      'GET',
      'artifactregistry',
      '/v1/projects/demo-project/locations/europe-west1/repositories/chat-production/dockerImages',
    );
    expect(images.body.dockerImages ?? []).toEqual([]);
  });

  test(
    'stopped in the middle and run again, it waits for the build that is under way and pays for no other',
    { timeout: 60_000 },
    async () => {
      const { build, emulator, steps } = await begin('FROM node:24\nCOPY . .\nRUN sleep 3\n');
      const stop = new AbortController();
      const first = build(stop.signal);
      const builds = async (): Promise<unknown[]> =>
        (await ask(emulator, 'GET', 'cloudbuild', '/v1/projects/demo-project/locations/europe-west1/builds')).body
          .builds ?? [];
      await expect.poll(builds, { timeout: 20_000 }).toHaveLength(1);
      stop.abort();
      await expect(first).rejects.toMatchObject({ code: 'cloud-interrupted', exit: 2 });
      expect(await build(never(), { tag: '20261121-230000' })).toMatchObject({
        joined: true,
        image: `${IMAGE}:20261121-220000`,
      });
      expect(await builds()).toHaveLength(1);
      expect(steps.join('\n')).toContain('waiting for the build that is under way');
    },
  );

  test('a build that nobody wants any more ends at Google, too', async () => {
    const { build, emulator } = await begin('FROM node:24\nCOPY . .\nRUN sleep 600\n');
    const unwanted = new AbortController();
    const first = build(unwanted.signal, { unwanted: unwanted.signal });
    first.catch(() => undefined);
    const statuses = async (): Promise<unknown[]> => {
      const path = '/v1/projects/demo-project/locations/europe-west1/builds';
      const builds = (await ask(emulator, 'GET', 'cloudbuild', path)).body.builds as { status: string }[] | undefined;
      return (builds ?? []).map(({ status }) => status);
    };
    await expect.poll(statuses).toEqual(['WORKING']);
    unwanted.abort();
    await expect(first).rejects.toMatchObject({ code: 'cloud-interrupted' });
    await expect.poll(statuses).toEqual(['CANCELLED']);
  });

  test('sources go into no bucket of a stranger who foresaw its name', async () => {
    const { emulator, build } = await begin('FROM node:22 AS build\nFROM node:22\nCMD ["node", "main.js"]\n');
    await ask(emulator, 'POST', 'storage', '/storage/v1/b?project=stranger', {
      body: { name: 'demo-project-evenkeel-builds', location: 'europe-west1' },
    });
    await expect(build()).rejects.toMatchObject({ code: 'cloud-name-taken' });
    const { body } = await ask(emulator, 'GET', 'storage', '/storage/v1/b/demo-project-evenkeel-builds/o');
    expect(body.items ?? []).toEqual([]);
  });
});
