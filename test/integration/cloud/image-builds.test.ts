import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examineImages, imageRequest, imageSource } from '../../../src/app/cloud/images.ts';
import { routed } from '../../../src/app/cloud/routed.ts';
import { onCloudRun } from '../../../src/domain/cloud/run/on-cloud-run.ts';
import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import { processBuilder } from '../../../src/drivers/build/process-builder.ts';
import { ImageBuilds } from '../../../src/drivers/cloud-run/image-builds.ts';
import type { BuildObservation } from '../../../src/ports/builder.ts';
import type { ImageBuilder, ImageRequest } from '../../../src/ports/cloud-build.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import { cloudService, cloudConfig, localDrivers, shop } from '../../support/cloud/cloud-run-world.ts';
import { writeDockerfile, writeStory } from '../../support/cloud/story-project.ts';
import { service } from '../../support/engine/world.ts';
import { writeFiles } from '../../support/system.ts';
import { tempDir } from '../../support/temp.ts';
import { waitFor } from '../../support/wait.ts';

/** The project of the story, with two services of a workspace of which each needs one package of two. */
function story(): { root: string; services: ServiceConfig[] } {
  const root = tempDir('story');
  const pace = { canary: '5s', health: '10s' };
  writeStory(root, { project: 'shop', cloudProject: 'demo-project', region: 'europe-west1', pace });
  const names = ['api', 'back'];
  const { services } = onCloudRun({
    ...shop('image'),
    services: names.map((name) => service(name, { dir: `services/${name}` })),
    cloud: cloudConfig(
      names.map((name) => cloudService({ service: name, dockerfile: `services/${name}/Dockerfile`, context: '.' })),
    ),
  });
  return { root, services };
}

/** One build of `api`, to its end, by a builder that does as it is told. */
async function built(
  build: ImageBuilder['build'],
  { isThere = true }: { isThere?: boolean } = {},
): Promise<{ end: BuildObservation; log: string; dir: string; again: () => Promise<BuildObservation> }> {
  const { root, services } = story();
  const dir = tempDir('images');
  const builds = new ImageBuilds({
    file: join(dir, 'images.json'),
    builderFor: async () => ({ build }),
    isThere: async () => isThere,
    async prepare({ root, service }, config) {
      const source = imageSource(service, config);
      const { leaveOut, warnings } = await examineImages(root, [source]);
      return { request: imageRequest(root, source, { image: config.repository, at: 0, leaveOut }), warnings };
    },
  });
  const [api] = services;
  if (api?.cloud === undefined) throw new Error('api is not in the cloud');
  const log = join(dir, 'logs', 'build.log');
  const request = { id: 'r1.build.api', project: 'shop', environment: 'production', root, service: api, env: {}, log };
  const { cloud } = api;
  const endOf = async (id: string): Promise<BuildObservation> => {
    await builds.start({ ...request, id }, cloud, 'input');
    return waitFor(
      () => {
        const now = builds.observe(id);
        return now !== null && now.state !== 'running' ? now : null;
      },
      { what: 'the end of the build' },
    );
  };
  const end = await endOf(request.id);
  return { end, log: readFileSync(log, 'utf8'), dir, again: () => endOf('r2.build.api') };
}

describe('images before a rollout', () => {
  test('property 12: a deploy sends to its build what `cloud build` sends, without what the service does not need', async () => {
    let asked: ImageRequest | null = null;
    const { end, log } = await built(async (request, events) => {
      asked = request;
      for (let line = 1; line <= 50; line += 1) events.line(`line ${line}`);
      return { image: `${request.image}:x`, tags: [], digest: 'sha256:d', build: 'b', logUrl: null, joined: false };
    });
    expect(end).toMatchObject({ state: 'done', artifact: expect.stringMatching(/@sha256:d$/) });
    expect(asked).toMatchObject({
      service: 'api',
      tag: '19700101-000000',
      leaveOut: expect.arrayContaining(['packages/other', 'services/back']),
    });
    expect(log.trimEnd().split('\n')).toEqual(Array.from({ length: 50 }, (_, index) => `line ${index + 1}`));
  });

  test('what was built of the same sources is used while it is there, and built anew when it is not', async () => {
    for (const isThere of [true, false]) {
      let count = 0;
      const build: ImageBuilder['build'] = async ({ image }, events) => {
        count += 1;
        events.line('a build');
        return { image, tags: [], digest: `sha256:${count}`, build: 'b', logUrl: null, joined: false };
      };
      const { again } = await built(build, { isThere });
      expect(await again()).toMatchObject({
        state: 'done',
        reused: isThere,
        artifact: expect.stringMatching(isThere ? /@sha256:1$/ : /@sha256:2$/),
      });
      expect(count).toBe(isThere ? 1 : 2);
    }
  });

  test('property 14: the reason of a failed build is the end of its log, and the log says it once', async () => {
    const { end, log } = await built(async (_, events) => {
      events.line('cannot compile');
      const why = 'its log ends with\n    cannot compile';
      throw new EvenkeelError({ code: 'cloud-build-failed', what: 'the build of api failed', why, exit: 2 });
    });
    expect(end).toEqual({
      state: 'failed',
      detail: 'the build of api failed; its log ends with\n    cannot compile',
    });
    expect(log).toBe('cannot compile\nthe build of api failed\n');
  });

  test('what is sent to a build decides whether it is built again, ignored by git or not; variables do not', async () => {
    const { root, services } = story();
    const [api] = services;
    if (api === undefined) throw new Error('no api');
    const local = processBuilder({ home: tempDir('home'), jobs: localDrivers().jobs });
    const never = (): never => {
      throw new Error('the cloud was asked for');
    };
    const routing = { isCloud: never, environments: never, scopeOfJob: never, cloud: never };
    const { builder } = routed({ ...localDrivers(), builder: local }, routing);
    const service = { ...api, build: 'npm run generate' };
    writeFiles(root, { '.gitignore': 'generated\n', 'generated/client.js': '1' });
    const first = await builder.inputDigest(root, service);
    expect(await builder.inputDigest(root, { ...service, env: { LEVEL: ['debug'] } })).toBe(first);
    writeFiles(root, { 'generated/client.js': '2' });
    expect(await builder.inputDigest(root, service)).not.toBe(first);
  });

  test('properties 11, 12: all that is wrong with any Dockerfile is said at once, before a deploy writes anything', async () => {
    const { root, services } = story();
    const never = (): never => {
      throw new Error('the cloud was asked for');
    };
    const { builder } = routed(localDrivers(), {
      isCloud: never,
      environments: never,
      scopeOfJob: never,
      cloud: never,
    });
    await builder.examine(root, services, 'production');
    writeDockerfile(root, 'api', 'FROM node:24\nCOPY . .\n');
    writeDockerfile(root, 'back', 'FROM node:24 AS build\nCOPY . .\nFROM node:24\nCOPY services/back .\n');
    const refused: unknown = await builder.examine(root, services, 'production').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'dockerfile-wrong', exit: 1 });
    const { why } = refused as EvenkeelError;
    expect(why).toMatch(/services\/api\/Dockerfile:1: there is one stage only/);
    expect(why).toMatch(/services\/back\/Dockerfile:3: the last stage takes nothing from the others/);
    // What is used as it is needs no Dockerfile, and neither does what runs here.
    const [api] = services;
    if (api?.cloud === undefined) throw new Error('api is not in the cloud');
    await builder.examine(
      root,
      [{ ...api, cloud: { ...api.cloud, image: 'gcr.io/some/image' } }, service('web')],
      'production',
    );
  });
});
