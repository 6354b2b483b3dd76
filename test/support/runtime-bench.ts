import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';
import type { PortGuard } from '../../src/drivers/runtime/process/port-guard.ts';
import type { InstanceObservation } from '../../src/domain/instance/instance.ts';
import type { CgroupParents } from '../../src/platform/process/cgroup.ts';
import { livingProcesses, sendSignal } from '../../src/platform/process/table.ts';
import type { InstanceSpec, Runtime } from '../../src/ports/runtime.ts';
import { tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

export const scope = { project: 'chat', environment: 'production' };
export const NO_CGROUPS: CgroupParents = { version: null, folders: {}, why: 'switched off for this test' };

/** Tests that do not ask for them leave the rules of this machine alone. */
export const NO_GUARD: PortGuard = { allow: async () => null, forget: async () => {} };

export interface InstanceBench {
  home: string;
  artifact: string;
  log: string;
  runtime: Runtime;
  spec(change?: Partial<InstanceSpec>): InstanceSpec;
  /** The only instance there is. */
  seen(): Promise<InstanceObservation>;
  until(condition: (seen: InstanceObservation) => boolean, what: string): Promise<InstanceObservation>;
  ended(): Promise<InstanceObservation>;
  output(): string;
  /** Living processes that carry the mark of an instance or job of this home. */
  processes(): number[];
}

/** A runtime over a home of its own; everything that still runs at the end of the test is killed. */
export function instanceBench(
  options: { cgroups?: CgroupParents; home?: string; guard?: PortGuard } = {},
): InstanceBench {
  const home = options.home ?? tempDir('home');
  const artifact = join(home, 'artifact');
  mkdirSync(artifact, { recursive: true });
  const log = join(home, 'logs', 'api.log');
  const { cgroups, guard = NO_GUARD } = options;
  const runtime = processRuntime({ home, guard, ...(cgroups === undefined ? {} : { cgroups }) });
  const bench: InstanceBench = {
    home,
    artifact,
    log,
    runtime,
    spec: (change = {}) => ({
      id: 'chat.production.api@42.0.0',
      ...scope,
      service: 'api',
      release: 'api@42',
      index: 0,
      generation: 0,
      artifact,
      dir: '.',
      command: 'sleep 600',
      env: {},
      port: null,
      data: [],
      resources: { memory: null, cpu: null },
      log,
      ...change,
    }),
    async seen() {
      const [only, ...more] = await runtime.observe(scope);
      if (only === undefined || more.length > 0) throw new Error(`${more.length} instances too many, or none`);
      return only;
    },
    until: (condition, what) =>
      waitFor(async () => ((now) => (condition(now) ? now : null))(await bench.seen()), { what, timeout: 30_000 }),
    ended: () => bench.until(({ state }) => state === 'ended', 'its end'),
    output: () => readFileSync(log, 'utf8'),
    processes: () => marked(home),
  };
  onTestFinished(async () => {
    for (const { id } of await runtime.observe(scope))
      await runtime.stop(id, { graceMs: 0, reason: 'end of the test' });
    await waitFor(
      async () => {
        await runtime.observe(scope);
        return marked(home).length === 0;
      },
      { what: 'all processes to go', timeout: 10_000 },
    ).catch(() => marked(home).forEach((pid) => sendSignal(pid, 'SIGKILL')));
  });
  return bench;
}

export function marked(home: string): number[] {
  return livingProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid && isMarked(pid, home));
}

function isMarked(pid: number, home: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`EVENKEEL_FOLDER=${home}/`);
  } catch {
    return false; // gone
  }
}
