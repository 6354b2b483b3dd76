import { describe, expect, test } from 'vitest';
import type { CloudCost, CloudStatus } from '../../src/api/contract/cloud/look.ts';
import type { CloudPlan } from '../../src/api/contract/cloud/plan.ts';
import { type CallReport, type EmulatedCli, emulatedCli } from '../support/cloud/emulated-cli.ts';
import { billingMonthOf } from '../../src/app/cloud/billing-month.ts';
import { EXPORT, exported } from '../support/cloud/bill.ts';
import { documentOf, FILE } from '../support/cloud/cli.ts';
import { waitFor } from '../support/wait.ts';

const missing = (status: CloudStatus): string[] =>
  status.resources.filter(({ state, kind }) => state !== 'ready' && kind !== 'service').map(({ address }) => address);

/** However slow this machine is. */
const statusOf = async (cloud: EmulatedCli): Promise<CloudStatus> =>
  documentOf(await cloud.run(['status', '--wait', '2m', '--json'])) as CloudStatus;

async function allThere(cloud: EmulatedCli): Promise<void> {
  expect(missing(await statusOf(cloud))).toEqual([]);
  expect((documentOf(await cloud.run(['plan', '--json'])) as CloudPlan).changes).toBe(0);
}

describe('the cloud, emulated', { timeout: 180_000 }, () => {
  test('an unchanged set-up asks little, changes nothing, and says so', async () => {
    const cloud = await emulatedCli();
    expect((await cloud.run(['setup', '--yes'])).code).toBe(0);
    await cloud.control('DELETE', 'calls');
    const again = await cloud.run(['setup', '--yes']);
    expect([again.code, again.stdout.includes('Nothing to do.')]).toEqual([0, true]);
    const { counts } = await cloud.control<CallReport>('GET', 'calls');
    const changing = Object.keys(counts).filter((method) =>
      /\.(insert|create|patch|update|delete|enable|setIamPolicy|add\w+)$/.test(method),
    );
    expect(changing).toEqual([]);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThan(30);
  });

  test('set-up interrupted at many moments and run again ends in the same state', async () => {
    const cloud = await emulatedCli();
    await cloud.run(['plan']);
    for (const after of [1, 4, 9, 14, 20, 27]) {
      const setup = cloud.start(['setup', '--yes', '--json']);
      // Whatever was done is told by a line, and so is where the interrupt falls.
      const done = (): number => setup.stdout().split('"type":"done"').length - 1;
      let ended = false;
      void setup.ended.then(() => (ended = true));
      await waitFor(() => done() >= after || ended, { what: `${after} changes`, timeout: 60_000, interval: 5 });
      setup.kill('SIGINT');
      const { code } = await setup.ended;
      expect([0, 130]).toContain(code);
    }
    expect((await cloud.run(['setup', '--yes'])).code).toBe(0);
    await allThere(cloud);
  });

  test('two set-ups at once do no harm', async () => {
    const cloud = await emulatedCli();
    await cloud.run(['plan']);
    const both = await Promise.all([cloud.run(['setup', '--yes']), cloud.run(['setup', '--yes'])]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    await allThere(cloud);
  });

  test('property 33: what is denied is told at the end with exit code 2, and the rest is done', async () => {
    const cloud = await emulatedCli();
    await cloud.run(['enable', '--yes']);
    const deny = { method: 'storage.buckets.insert', do: 'deny', permission: 'storage.buckets.create', times: 0 };
    await cloud.control('POST', 'faults', deny);
    const { code, stdout } = await cloud.run(['setup', '--yes']);
    expect(code).toBe(2);
    expect(stdout).toContain('2 operations failed:');
    expect(stdout).toContain('storage.buckets.create');
    await cloud.control('DELETE', 'faults');
    expect(missing(await statusOf(cloud)).toSorted()).toEqual([
      'bucket/chat-staging-avatars',
      'bucket/chat-staging-media',
    ]);
    expect((await cloud.run(['setup', '--yes'])).code).toBe(0);
    await allThere(cloud);
  });

  test('cost tells what was billed as soon as the export has it, and until then why not', async () => {
    const file = FILE.replace('region: europe-west1 }', `region: europe-west1, billingExport: ${EXPORT} }`);
    const cloud = await emulatedCli(file);
    const cost = async (): Promise<CloudCost> => documentOf(await cloud.run(['cost', '--json'])) as CloudCost;
    expect((await cost()).actualProblem).toMatchObject({
      code: 'cloud-api-disabled',
      next: 'evenkeel cloud --emulate enable --env staging',
    });
    expect((await cloud.run(['enable', '--yes'])).code).toBe(0);
    expect((await cost()).actualProblem).toMatchObject({ code: 'cloud-bill-unknown' });
    const { month } = billingMonthOf(Date.now());
    const at = new Date().toISOString();
    const labels = { 'evenkeel-project': 'chat', 'evenkeel-environment': 'staging' };
    const common = { project: 'chat-cloud-1', month, at };
    await cloud.control('POST', 'tables', {
      table: EXPORT,
      rows: [
        exported({ ...common, service: 'Cloud SQL', cost: 3.5, labels, credits: [-0.25] }),
        exported({ ...common, service: 'Networking', cost: 0.5 }),
        exported({ ...common, service: 'Cloud SQL', cost: 99, project: 'other-cloud-1' }),
      ],
    });
    const { actual, estimate } = await cost();
    expect(actual).toMatchObject({
      total: 3.75,
      credits: -0.25,
      parts: [{ address: 'sql-instance/chat-staging-main', text: '$3.25' }],
      rest: [{ of: 'nobody', what: 'Networking', text: '$0.50' }],
    });
    expect(estimate.lines.find(({ address }) => address.startsWith('sql-instance/'))?.actual).toBe('$3.25');
    const { stdout } = await cloud.run(['cost']);
    expect(stdout).toMatch(/sql-instance\/chat-staging-main .*\$3\.25/);
    expect(stdout).toContain('Actual: $3.75 billed to chat-cloud-1');
    expect((await cloud.control<CallReport>('GET', 'calls')).violations).toEqual([]);
  });

  test('quota and passing failures are ridden out', async () => {
    const cloud = await emulatedCli();
    await cloud.run(['plan']);
    await cloud.control('POST', 'faults', [
      { method: 'secretmanager.*', do: 'fail', status: 'UNAVAILABLE', nth: 2, times: 2 },
      { method: 'storage.buckets.*', do: 'quota', nth: 2 },
      { method: 'sql.instances.insert', do: 'cut', when: 'after' },
    ]);
    const { code } = await cloud.run(['setup', '--yes']);
    expect(code).toBe(0);
    await allThere(cloud);
  });

  test('property 29: status answers within 30 s even when an API hangs, which is marked unknown', async () => {
    const cloud = await emulatedCli();
    expect((await cloud.run(['setup', '--yes', '--only', 'buckets'])).code).toBe(0);
    // Even who the project is.
    await cloud.control('POST', 'faults', [
      { method: 'iam.*', do: 'hang', times: 0 },
      { method: 'cloudresourcemanager.*', do: 'hang', times: 0 },
    ]);
    const status = documentOf(await cloud.run(['status', '--wait', '6s', '--json'])) as CloudStatus;
    expect(status.ms).toBeLessThan(30_000);
    const stateOf = (kind: string): string[] => [
      ...new Set(status.resources.filter((each) => each.kind === kind).map(({ state }) => state)),
    ];
    expect([stateOf('account'), stateOf('role')]).toEqual([['unknown'], ['unknown']]);
    expect(stateOf('bucket')).toEqual(['ready']);
  });

  test('one is deleted by its name, and clean-up deletes only what evenkeel labelled for this environment', async () => {
    const cloud = await emulatedCli();
    expect((await cloud.run(['setup', '--yes', '--only', 'buckets'])).code).toBe(0);
    expect((await cloud.run(['delete', 'bucket/chat-staging-avatars', '--yes'])).code).toBe(0);
    const buckets = (documentOf(await cloud.run(['status', '--json'])) as CloudStatus).resources.filter(
      ({ kind }) => kind === 'bucket',
    );
    expect(buckets.map(({ address, state }) => `${address} ${state}`).toSorted()).toEqual([
      'bucket/chat-staging-avatars missing',
      'bucket/chat-staging-media ready',
    ]);
    const { url, token } = await where(cloud);
    const made = await fetch(`${url}/storage/v1/b?project=chat-cloud-1`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'somebody-elses' }),
    });
    expect(made.status).toBe(200);
    const { code } = await cloud.run(['cleanup'], 'DELETE ALL\n');
    expect(code).toBe(0);
    const list = await cloud.run(['list']);
    expect(list.stdout).toContain('bucket/somebody-elses');
    expect(list.stdout).not.toContain('bucket/chat-staging');
  });

  test('a file that says nothing of a cloud is exit code 1, and what to add', async () => {
    const none = await emulatedCli(
      'project: chat\nservices:\n  api: { run: node api.js, health: false }\nenvironments:\n  staging: {}\n',
    );
    const { code, stderr } = await none.run(['plan']);
    expect([code, stderr.includes('cloud: { project: ID')]).toEqual([1, true]);
  });
});

/** Where the emulator listens, as the command says it. */
async function where(cloud: EmulatedCli): Promise<{ url: string; token: string }> {
  const { readFile } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const text = await readFile(join(cloud.env['EVENKEEL_HOME'] ?? '', 'emulator', 'emulator.json'), 'utf8');
  return JSON.parse(text) as { url: string; token: string };
}
