import { expect } from 'vitest';
import type { JournalView, RolloutView, ServiceStatus, StatusReply } from '../../../src/api/contract/contract.ts';
import type { ReleaseView } from '../../../src/api/contract/release.ts';
import { told } from '../bad/shared-system.ts';
import type { CliResult, System } from '../evenkeel-home.ts';

/** Runs a command that ought to end with this code; answers what it said. */
export async function run(
  system: System,
  root: string,
  args: string[],
  options: { code?: number; input?: string } = {},
): Promise<CliResult> {
  const { code = 0, ...rest } = options;
  const result = await system.cli(args, { cwd: root, ...rest });
  expect(result.code, `evenkeel ${args.join(' ')}\n${told(result)}`).toBe(code);
  return result;
}

/** The one JSON document that a command prints. */
export async function json<T>(system: System, root: string, args: string[]): Promise<T> {
  return JSON.parse((await run(system, root, [...args, '--json'])).stdout) as T;
}

/** A service as `evenkeel status --json` shows it. */
export async function service(
  system: System,
  root: string,
  name: string,
  environment = 'development',
): Promise<ServiceStatus> {
  const status = await json<StatusReply>(system, root, ['status', '--env', environment]);
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
  const { rollouts } = await json<{ rollouts: RolloutView[] }>(system, root, [
    'rollouts',
    '--env',
    environment,
    '--limit',
    '1',
  ]);
  return json(system, root, ['rollouts', 'show', rollouts[0]?.id ?? '', '--env', environment]);
}
