import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JournalView, RolloutView } from '../../../src/api/contract/rollouts.ts';
import type { ServiceStatus, StatusReply } from '../../../src/api/contract/status.ts';
import type { ReleaseView } from '../../../src/api/contract/releases.ts';
import { newestRollout, told } from '../bad/shared-system.ts';
import type { CliResult, System } from '../evenkeel-home.ts';

/** Runs a command that ought to end with this code; answers what it said. */
export async function run(
  system: System,
  root: string,
  args: string[],
  options: { code?: number; input?: string; person?: string } = {},
): Promise<CliResult> {
  const { code = 0, ...rest } = options;
  const result = await system.cli(args, { cwd: root, ...rest });
  expect(result.code, `evenkeel ${args.join(' ')}\n${told(result)}`).toBe(code);
  return result;
}

/** The one JSON document that a command prints. */
export async function json<T>(system: System, root: string, args: string[], as: { person?: string } = {}): Promise<T> {
  return JSON.parse((await run(system, root, [...args, '--json'], as)).stdout) as T;
}

/** A service as the API shows it: what is asked for again and again is not worth a process each time. */
export async function service(
  system: System,
  root: string,
  name: string,
  environment = 'development',
): Promise<ServiceStatus> {
  const status = await system.get<StatusReply>(`/api/v1/status?project=${projectIn(root)}&environment=${environment}`);
  const found = status.environments[0]?.services.find((each) => each.service === name);
  if (found === undefined) throw new Error(`status shows no ${name}: ${JSON.stringify(status.environments)}`);
  return found;
}

export const releases = async (system: System, root: string, ...args: string[]): Promise<ReleaseView[]> =>
  (await json<{ releases: ReleaseView[] }>(system, root, ['releases', ...args])).releases;

/** The newest rollout and its story. */
export async function newest(
  system: System,
  root: string,
  environment = 'development',
): Promise<{ rollout: RolloutView; entries: JournalView[] }> {
  const rollout = await newestRollout(system, projectIn(root), environment);
  return { rollout, ...(await system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${rollout.id}/story`)) };
}

function projectIn(root: string): string {
  const name = /^project: *(\S+)/m.exec(readFileSync(join(root, 'evenkeel.yaml'), 'utf8'))?.[1];
  if (name === undefined) throw new Error(`${root} has no project`);
  return name;
}
