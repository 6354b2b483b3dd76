import { expect, test } from 'vitest';
import { type CloudLog, routedLogs } from '../../../src/app/cloud/routed-logs.ts';
import { jobName } from '../../../src/domain/cloud/run/names.ts';
import type { CloudLogQuery } from '../../../src/ports/cloud-logs.ts';
import type { LogFile, LogQuery, LogReader } from '../../../src/ports/logs.ts';

const scope = { project: 'shop', environment: 'production' };
const file = (instance: string): LogFile => ({ file: `/logs/${instance}`, service: 'api', release: 'api@1', instance });

const local: LogReader = {
  maintain: async () => {},
  async *read({ files, caughtUp }) {
    for (const { file: _, ...each } of files) yield { at: 1, line: `here ${each.instance ?? ''}`, ...each };
    caughtUp?.();
  },
};

async function read(
  instances: string[],
  entries: (query: CloudLogQuery) => { service: string; text: string }[],
  more: Partial<LogQuery> = {},
): Promise<{ lines: string[]; asked: CloudLogQuery[] }> {
  const asked: CloudLogQuery[] = [];
  const log: CloudLog = {
    services: async () => [],
    logs: {
      async *read(query) {
        asked.push(query);
        for (const each of entries(query)) yield { at: 2, revision: null, severity: 'INFO', ...each };
        query.caughtUp?.();
      },
    },
  };
  const routing = {
    isCloud: async ({ environment }: { environment: string }) => environment === 'production',
    scopeOfJob: async (job: string) => (job.startsWith('r1.') ? scope : null),
  };
  const reader = routedLogs(local, routing, async () => log);
  const signal = new AbortController().signal;
  const lines: string[] = [];
  const query = { files: instances.map(file), lines: 10, follow: false, signal, ...more };
  for await (const { instance, line } of reader.read(query)) lines.push(`${instance ?? ''}: ${line}`);
  return { lines: lines.toSorted(), asked };
}

test('jobs in the cloud are read there by their names, builds and jobs of this machine here', async () => {
  const name = jobName(scope, 'r1.migrate.api');
  const { lines, asked } = await read(['r1.build.api', 'r1.migrate.api', 'r2.migrate.api'], () => [
    { service: name, text: 'created\ntables' },
  ]);
  expect(lines).toEqual([
    'r1.build.api: here r1.build.api',
    'r1.migrate.api: created',
    'r1.migrate.api: tables',
    'r2.migrate.api: here r2.migrate.api',
  ]);
  expect(asked).toMatchObject([{ names: [name], programsOnly: true }]);
});

test('a log that cannot be read is not an empty one', async () => {
  const { lines } = await read(['r1.migrate.api'], () => {
    throw new Error('the Logging API is not enabled');
  });
  expect(lines).toEqual([
    'r1.migrate.api: evenkeel could not read the log in the cloud: the Logging API is not enabled',
  ]);
});

test('all is read once the files here and the log in the cloud are', async () => {
  let caught = 0;
  let whenLocal: number | null = null;
  await read(
    ['r1.build.api', 'r1.migrate.api'],
    () => {
      whenLocal = caught;
      return [];
    },
    { follow: true, caughtUp: () => caught++ },
  );
  expect([whenLocal, caught]).toEqual([0, 1]);
});
