import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import type { Fault } from '../../src/emulator/core/faults.ts';
import { endEmulators } from '../emulator/emulated.ts';
import { CloudStage } from '../support/cloud/cloud-stage.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

let stage: CloudStage;
let port: number;

beforeAll(async () => {
  stage = await CloudStage.prepare(tempDir('c'));
  port = await freePort();
  await stage.system.start();
  change('v1');
  await stage.promoted(await stage.deploy());
  await stage.promoted(await here());
});

afterEach(() => stage.interfere(null));

afterAll(async () => {
  stage.interfere(null);
  await stage.system.stop();
  await endEmulators();
});

/** Of the same file, one environment is on this machine and one on Cloud Run. */
const change = (version: string): void => stage.change({ version, environments: `  development: { port: ${port} }\n` });
const here = (): Promise<string> => stage.system.deploy(stage.root, { environment: 'development' });
const answersHere = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/api`)).text();

const OUTAGES: [string, Fault][] = [
  ['that answers nothing at all', { do: 'hang' }],
  ['that refuses with 503', { do: 'fail', status: 'UNAVAILABLE', retryAfterS: 30 }],
];

describe.each(OUTAGES)('beside a cloud %s', (_, fault) => {
  test('this machine goes on as ever, and what is not known is said', { timeout: 180_000 }, async () => {
    let refused = 0;
    stage.interfere((method) => {
      refused += Number(/^(run|monitoring)\./.test(method));
      return /^(run|monitoring)\./.test(method) ? [fault] : [];
    });
    await waitFor(() => refused > 0, { what: 'the cloud to be asked', timeout: 30_000 });

    const version = `v${fault.do}`;
    change(version);
    await stage.promoted(await here());
    expect(await answersHere()).toBe(version);

    const began = performance.now();
    const status = await stage.system.cli(['status', '--json'], { cwd: stage.root });
    // The aim of status is three seconds, and thirty at most.
    expect(performance.now() - began).toBeLessThan(30_000);
    expect([status.code, status.stderr]).toEqual([0, '']);
    const { server, environments } = JSON.parse(status.stdout) as StatusReply;
    expect(server.edge).toBe(true);
    const of = (name: string) => environments.find(({ environment }) => environment === name);
    expect(of('development')?.services[0]).toMatchObject({ release: expect.stringMatching(/^api@/) });
    expect(of('development')).not.toHaveProperty('blind');
    expect(of('production')?.blind).toMatchObject({
      why: expect.stringMatching(/run\.googleapis\.com|has not answered/),
    });
    const shown = await stage.system.cli(['status'], { cwd: stage.root });
    expect(shown.stdout).toContain('is not seen at present');

    // What runs here is watched as ever: what dies is started again.
    const [instance] = of('development')?.services[0]?.instances ?? [];
    process.kill(instance?.pid ?? 0, 'SIGKILL');
    await waitFor(async () => (await answersHere()) === version, { what: 'it to answer again', timeout: 30_000 });

    stage.interfere(null);
    const seenAgain = async (): Promise<boolean> =>
      (await stage.system.status()).environments.every((each) => each.blind === undefined);
    await waitFor(seenAgain, { what: 'the cloud to be seen again', timeout: 60_000 });
    expect(await stage.answers()).toBe('v1');
  });
});
