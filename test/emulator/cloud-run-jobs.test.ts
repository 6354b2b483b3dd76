import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { CloudRunJobs } from '../../src/drivers/cloud-run/jobs.ts';
import { RunApi } from '../../src/drivers/cloud-run/run-api.ts';
import { Views } from '../../src/drivers/cloud-run/view.ts';
import { onCloudRun } from '../../src/domain/cloud/run/on-cloud-run.ts';
import { findCredentials } from '../../src/platform/google/credentials.ts';
import { openGoogle } from '../../src/platform/google/http.ts';
import type { JobObservation, JobRunner, JobSpec } from '../../src/ports/runtime.ts';
import { PLACE, shop } from '../support/cloud/cloud-run-world.ts';
import { waitFor } from '../support/wait.ts';
import { running } from './deployed.ts';
import { ask, endEmulators, TOKEN } from './emulated.ts';

afterEach(endEmulators);

const scope = { project: 'shop', environment: 'production' };

async function opened() {
  const { emulator, image } = await running();
  const account = { body: { accountId: 'shop-production' } };
  await ask(emulator, 'POST', 'iam', '/v1/projects/demo-project/serviceAccounts', account);
  const again = async (): Promise<JobRunner> => {
    const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: TOKEN };
    const http = openGoogle({ credentials: await findCredentials({ env }), endpoint: new URL(emulator.url) });
    onTestFinished(() => http.close());
    const api = new RunApi(http);
    const environment = { ...PLACE, scope };
    return new CloudRunJobs({
      api,
      views: new Views(api, 0),
      environmentOf: async () => environment,
      urlOf: async (_, name) => `https://${name}.example`,
    });
  };
  const reference = await image('api');
  const specOf = (command: string): JobSpec => {
    const [config] = onCloudRun(shop(reference, { cloud: { env: { GREETING: ['hello'] } } })).services;
    if (config?.cloud === undefined) throw new Error('no service in the cloud');
    return {
      id: 'r7f3.migrate.api',
      ...scope,
      command,
      workingCopy: { artifact: reference, dir: '.', data: [] },
      env: { EVENKEEL_RELEASE: 'api@1' },
      log: '/dev/null',
      resources: { memory: null, cpu: null },
      cloud: { config: config.cloud, preview: null },
    };
  };
  return { emulator, again, jobs: await again(), specOf };
}

const over = (jobs: JobRunner, id: string): Promise<JobObservation> =>
  waitFor(
    async () => {
      const seen = await jobs.observe(id);
      return seen.state === 'running' ? null : seen;
    },
    { what: 'the end of the job', timeout: 60_000 },
  );

describe('the Cloud Run job runner', () => {
  test('knows nothing of a job that was never started, and tells success', async () => {
    const { jobs, specOf } = await opened();
    const spec = specOf('test "$GREETING $EVENKEEL_RELEASE" = "hello api@1"');
    expect(await jobs.observe(spec.id)).toEqual({ state: 'absent' });
    await jobs.cancel(spec.id, { graceMs: 0 });
    await jobs.remove(spec.id);
    await jobs.start(spec);
    const end = await over(jobs, spec.id);
    expect(end).toMatchObject({ state: 'ended', exit: 0, signal: null, cancelled: false });
  });

  test('runs one id at most once, also for another controller and after its end, and tells its exit code', async () => {
    const { emulator, jobs, again, specOf } = await opened();
    const spec = specOf('exit 3');
    const other = await again();
    await Promise.all([jobs.start(spec), other.start(spec), jobs.start(spec)]);
    const end = await over(jobs, spec.id);
    expect(end).toMatchObject({ state: 'ended', exit: 3, cancelled: false });
    await other.start(spec);
    expect(await other.observe(spec.id)).toEqual(end);
    const parent = '/v2/projects/demo-project/locations/europe-west1';
    const { body } = await ask(emulator, 'GET', 'run', `${parent}/jobs`);
    const [job] = body.jobs;
    expect(body.jobs).toHaveLength(1);
    expect((await ask(emulator, 'GET', 'run', `/v2/${job.name}/executions`)).body.executions).toHaveLength(1);
  });

  test('is not removed while it runs, ends as cancelled, and is forgotten afterwards', async () => {
    const { jobs, again, specOf } = await opened();
    const spec = specOf('sleep 60');
    await jobs.start(spec);
    await waitFor(async () => ((await jobs.observe(spec.id)).state === 'running' ? true : null), { what: 'it to run' });
    await expect(jobs.remove(spec.id)).rejects.toMatchObject({ code: 'job-running', retryable: true });
    await waitFor(
      async () => {
        await (await again()).cancel(spec.id, { graceMs: 0 });
        return (await jobs.observe(spec.id)).state === 'running' ? null : true;
      },
      { what: 'its end', timeout: 60_000 },
    );
    expect(await over(jobs, spec.id)).toMatchObject({ state: 'ended', cancelled: true });
    await jobs.remove(spec.id);
    expect(await jobs.observe(spec.id)).toEqual({ state: 'absent' });
  });
});
