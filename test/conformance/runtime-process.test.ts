import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';
import type { CgroupParents } from '../../src/platform/process/cgroup.ts';
import { tempDir } from '../support/temp.ts';
import { jobsConformance } from './jobs.ts';
import type { JobConduct } from './jobs.ts';
import { runtimeConformance } from './runtime.ts';
import type { Conduct } from './runtime.ts';

const commands: Record<Conduct | JobConduct, string> = {
  runs: 'sleep 600',
  hangs: 'sleep 600',
  succeeds: 'true',
  'exits-3': 'exit 3',
  killed: 'kill -9 $$',
  'ignores-stop': "trap '' TERM; while :; do sleep 0.1; done",
  'ignores-cancel': "trap '' TERM; while :; do sleep 0.1; done",
  'not-found': 'no-such-program-anywhere --help',
};

function place() {
  const home = tempDir('home');
  const artifact = join(home, 'artifact');
  mkdirSync(artifact);
  return {
    home,
    artifact,
    cwd: artifact,
    log: join(home, 'logs', 'a.log'),
    command: (conduct: Conduct | JobConduct) => commands[conduct],
    pass: (ms: number) => sleep(ms),
  };
}

const noCgroups: CgroupParents = { version: null, folders: {}, why: 'not in this test' };

runtimeConformance('process', () => {
  const bench = place();
  return { ...bench, again: () => processRuntime({ home: bench.home }) };
});

runtimeConformance('process (without control groups)', () => {
  const bench = place();
  return { ...bench, again: () => processRuntime({ home: bench.home, cgroups: noCgroups }) };
});

jobsConformance('process', () => {
  const bench = place();
  return { ...bench, again: () => processJobs({ home: bench.home }) };
});
