import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dashboardPort, type DashboardPort } from '../../src/keeper/dashboard-port.ts';
import type { PortBinding } from '../../src/platform/ipc-messages.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

async function hold(at: PortBinding | 'any', folder = tempDir('dashboard')): Promise<DashboardPort> {
  const port = await dashboardPort(at, { file: join(folder, 'port.json'), gained: () => {}, say: () => {} });
  onTestFinished(() => port.close());
  return port;
}

const portOf = (each: DashboardPort): number | null => each.held()?.port.port ?? null;

test('servers that are started at once on one machine never have the same port, though none listens yet', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => hold('any')));
  const ports = all.map(portOf);
  expect(ports).not.toContain(null);
  expect(new Set(ports).size).toBe(6);
});

test('a port that another server has is had once that one is gone', async () => {
  const at = { bind: '127.0.0.1', port: await freePort() };
  const one = await hold(at);
  const other = await hold(at);
  expect([portOf(one), portOf(other)]).toEqual([at.port, null]);
  one.close();
  await waitFor(() => portOf(other) === at.port, { what: 'the other one to have it' });
});

test('an address stays what it was from one keeper to the next', async () => {
  const folder = tempDir('dashboard');
  const one = await hold('any', folder);
  const before = portOf(one);
  const meanwhile = await hold('any');
  one.close();
  expect(portOf(await hold('any', folder))).toBe(before);
  expect(portOf(meanwhile)).not.toBe(before);
});
