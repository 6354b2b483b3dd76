import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { build, ended, running } from './deployed.ts';
import { ask, endEmulators, type Answer } from './emulated.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';

afterEach(endEmulators);

const REPOSITORY = 'europe-west1-docker.pkg.dev/demo-project/apps';

function contextOf(files: Record<string, string>): string {
  const folder = tempDir('source');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const finished = (emulator: Emulator, operation: Answer) => ended(emulator, operation, 'cloudbuild', 'v1');
const buildOf = (operation: Answer['body']) => operation.metadata.build;
const logOf = async (emulator: Emulator, { logsBucket, id }: { logsBucket: string; id: string }) => {
  const path = `/storage/v1/b/${logsBucket.replace('gs://', '')}/o/log-${id}.txt?alt=media`;
  return (await ask(emulator, 'GET', 'storage', path)).bytes.toString();
};

describe('Cloud Build', () => {
  test('a source from storage becomes an image in the repository, with all its tags, and a log', async () => {
    const { emulator } = await running();
    const images = [`${REPOSITORY}/api:20260101-120000`, `${REPOSITORY}/api:latest`];
    const source = contextOf({ Dockerfile: 'FROM node:24\nCOPY . /app\nRUN echo built in $PROJECT\n' });
    const begun = await build(emulator, source, { images, tags: ['of-api'] });
    expect(begun.body).toMatchObject({ metadata: { build: { status: 'QUEUED', projectId: 'demo-project' } } });
    const end = await finished(emulator, begun);
    expect(end.response).toMatchObject({ status: 'SUCCESS', steps: [{ status: 'SUCCESS' }], images });
    const [first, second] = end.response.results.images;
    expect(first).toMatchObject({ name: images[0], digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    expect(second.digest).toBe(first.digest);

    const { id } = buildOf(end);
    const { body: got } = await ask(emulator, 'GET', 'cloudbuild', `/v1/projects/demo-project/builds/${id}`);
    expect(end.response).toEqual({ '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.Build', ...got });
    const list = (filter: string) =>
      ask(emulator, 'GET', 'cloudbuild', `/v1/projects/demo-project/builds?filter=${encodeURIComponent(filter)}`);
    expect((await list('status="SUCCESS" AND tags="of-api"')).body.builds).toEqual([got]);
    expect((await list('status="FAILURE"')).body.builds).toEqual([]);

    const parent = '/v1/projects/demo-project/locations/europe-west1/repositories/apps/dockerImages';
    const { body: pushed } = await ask(emulator, 'GET', 'artifactregistry', parent);
    expect(pushed.dockerImages).toHaveLength(1);
    expect(pushed.dockerImages[0]).toMatchObject({ uri: `${REPOSITORY}/api@${first.digest}` });
    expect(pushed.dockerImages[0].tags.toSorted()).toEqual(['20260101-120000', 'latest']);

    const log = await logOf(emulator, got);
    expect(log).toContain('FETCHSOURCE');
    expect(log).toContain('Step #0: Step 3/3 : RUN echo built');
    expect(log).toContain('PUSH');
    expect(log.trimEnd()).toMatch(/DONE$/);
    const entries = emulator.world.signals
      .logged()
      .filter(({ logName }) => logName === 'projects/demo-project/logs/cloudbuild');
    expect(entries.map(({ textPayload }) => textPayload).join('\n')).toBe(log.trimEnd());
  });

  test('a failing command ends the build as a failure, its code and what it said are there, nothing is pushed', async () => {
    const { emulator } = await running();
    const source = contextOf({ Dockerfile: 'FROM node:24\nRUN echo cannot compile >&2 && exit 9\n' });
    const end = await finished(emulator, await build(emulator, source, { images: [`${REPOSITORY}/api`] }));
    expect(end.error.message).toMatch(/check build logs/);
    expect(buildOf(end)).toMatchObject({
      status: 'FAILURE',
      failureInfo: { type: 'USER_BUILD_STEP' },
      steps: [{ status: 'FAILURE', exitCode: 9 }],
    });
    expect(buildOf(end).statusDetail).toContain('non-zero status: 9');
    expect(await logOf(emulator, buildOf(end))).toMatch(
      /Step #0: cannot compile\n[^]*returned a non-zero code: 9\nERROR\n/,
    );
    const parent = '/v1/projects/demo-project/locations/europe-west1/repositories/apps/dockerImages';
    expect((await ask(emulator, 'GET', 'artifactregistry', parent)).body.dockerImages).toEqual([]);
  });

  test('a repository that is not there, an image nobody built, a source that is not there', async () => {
    const { emulator } = await running();
    const source = contextOf({ Dockerfile: 'FROM scratch\nCOPY . /\n' });
    const elsewhere = REPOSITORY.replace('apps', 'others');
    const refused = await finished(emulator, await build(emulator, source, { images: [`${elsewhere}/api`] }));
    expect(buildOf(refused)).toMatchObject({ status: 'FAILURE', failureInfo: { type: 'PUSH_FAILED' } });
    const steps = [{ name: 'gcr.io/cloud-builders/docker', args: ['build', '-t', `${REPOSITORY}/a`, '.'] }];
    const unbuilt = await finished(emulator, await build(emulator, source, { steps, images: [`${REPOSITORY}/b`] }));
    expect(buildOf(unbuilt).failureInfo.type).toBe('PUSH_IMAGE_NOT_FOUND');
    const missing = { source: { storageSource: { bucket: 'demo-sources', object: 'nothing.tar.gz' } }, images: [] };
    const unfetched = await finished(emulator, await build(emulator, source, missing));
    expect(buildOf(unfetched).failureInfo.type).toBe('FETCH_SOURCE_FAILED');
  });

  test('several steps, a Dockerfile elsewhere, build arguments and variables, in a region', async () => {
    const { emulator } = await running();
    const source = contextOf({
      'services/api/Dockerfile': 'FROM node:24\nARG WHO\nCOPY made /made\nRUN echo "$WHO" > /who\n',
    });
    const image = `${REPOSITORY}/api:$_TAG`;
    const object = await build(emulator, source, { images: [] }).then((answer) => answer.body.metadata.build.source);
    const steps = [
      { name: 'node:24', entrypoint: 'node', args: ['-e', "require('fs').writeFileSync('/workspace/made', 'x')"] },
      {
        name: 'gcr.io/cloud-builders/docker',
        args: ['build', '--tag', image, '-f', 'services/api/Dockerfile', '--build-arg', 'WHO=$PROJECT_ID', '.'],
      },
      { name: 'gcr.io/cloud-builders/docker', args: ['push', image] },
    ];
    const path = '/v1/projects/demo-project/locations/europe-west1/builds';
    const body = { source: object, steps, substitutions: { _TAG: 'v7' }, options: { logging: 'CLOUD_LOGGING_ONLY' } };
    const end = await finished(emulator, await ask(emulator, 'POST', 'cloudbuild', path, { body }));
    expect(end.error).toBeUndefined();
    expect(end.response.name).toMatch(/locations\/europe-west1\/builds\//);
    expect(end.response.logsBucket).toBeUndefined();
    const parent = '/v1/projects/demo-project/locations/europe-west1/repositories/apps/dockerImages';
    expect((await ask(emulator, 'GET', 'artifactregistry', parent)).body.dockerImages[0].tags).toEqual(['v7']);
    const bad = await ask(emulator, 'POST', 'cloudbuild', path, { body: { ...body, substitutions: {} } });
    expect(bad.status).toBe(400);
    expect(bad.body.error.message).toContain('_TAG');
    expect((await ask(emulator, 'POST', 'cloudbuild', path, { body: { steps: [] } })).status).toBe(400);
  });

  test('a build is cancelled, another takes too long, and what they ran is gone', async () => {
    const { emulator } = await running();
    const source = contextOf({ Dockerfile: 'FROM node:24\nRUN echo begun; sleep 300\n' });
    const begun = await build(emulator, source, { images: [] });
    const { id } = buildOf(begun.body);
    await waitFor(() => emulator.world.signals.logged().some(({ textPayload }) => textPayload === 'Step #0: begun'), {
      what: 'the command to run',
    });
    const { body } = await ask(emulator, 'POST', 'cloudbuild', `/v1/projects/demo-project/builds/${id}:cancel`, {
      body: {},
    });
    expect(body.status).toBe('CANCELLED');
    expect((await finished(emulator, begun)).error).toBeDefined();
    const late = await finished(emulator, await build(emulator, source, { images: [], timeout: '1s' }));
    expect(buildOf(late).status).toBe('TIMEOUT');
  });
});
