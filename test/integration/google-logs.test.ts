import { afterEach, describe, expect, test } from 'vitest';
import { cloudLogs } from '../../src/drivers/cloud/google/logs.ts';
import type { CloudLogEntry } from '../../src/ports/cloud-logs.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { driverAt, never } from '../support/google.ts';

afterEach(endEmulators);

type Running = Awaited<ReturnType<typeof emulated>>;

async function write(emulator: Running, service: string, ...entries: object[]): Promise<void> {
  const resource = {
    type: 'cloud_run_revision',
    labels: {
      service_name: service,
      location: 'europe-west1',
      revision_name: `${service}-00001-abc`,
      project_id: 'demo-project',
    },
  };
  const body = { logName: 'projects/demo-project/logs/run.googleapis.com%2Fstdout', resource, entries };
  expect((await ask(emulator, 'POST', 'logging', '/v2/entries:write', { body })).status).toBe(200);
}

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const since = Date.UTC(2026, 0, 1);

describe('the log of services on Cloud Run', () => {
  test('the last lines, oldest first, of those that were asked for, whatever form they have', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    await write(
      emulator,
      'api',
      { timestamp: at(3), textPayload: 'third', severity: 'ERROR' },
      { timestamp: at(1), textPayload: 'first' },
      { timestamp: at(2), jsonPayload: { message: 'second', extra: 1 } },
    );
    await write(emulator, 'other', { timestamp: at(2), textPayload: 'not asked for' });
    const lines: CloudLogEntry[] = [];
    const query = { names: ['api'], since, lines: 2, follow: false, signal: never() };
    for await (const entry of cloudLogs(cloud.google).read(query)) lines.push(entry);
    expect(lines.map(({ text }) => text)).toEqual(['second', 'third']);
    expect(lines[1]).toMatchObject({
      service: 'api',
      revision: 'api-00001-abc',
      severity: 'ERROR',
      at: Date.parse(at(3)),
    });
  });

  test('lines of one and the same moment come in the order in which they were written', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    const { signals } = emulator.world;
    const texts = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    for (const textPayload of texts) await write(emulator, 'api', { timestamp: signals.moment(since), textPayload });
    const query = { names: ['api'], since, lines: 30, follow: false, signal: never() };
    const lines: string[] = [];
    for await (const { text } of cloudLogs(cloud.google).read(query)) lines.push(text);
    expect(lines).toEqual(texts.slice(-30));
  });

  test('following shows each new line once, also one that arrives late, and ends with the signal', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    await write(emulator, 'api', { timestamp: at(10), textPayload: 'there' });
    const stop = new AbortController();
    const lines: string[] = [];
    for await (const { text } of cloudLogs(cloud.google).read({
      names: ['api'],
      since,
      lines: 5,
      follow: true,
      signal: stop.signal,
    })) {
      lines.push(text);
      if (text === 'there') await write(emulator, 'api', { timestamp: at(11), textPayload: 'new' });
      if (text === 'new') await write(emulator, 'api', { timestamp: at(9), textPayload: 'late' });
      if (text === 'late') stop.abort();
    }
    expect(lines).toEqual(['there', 'new', 'late']);
  });
});
