import { fakeJobs } from '../../src/drivers/runtime/fake/jobs.ts';
import type { FakeJobBehaviour } from '../../src/drivers/runtime/fake/jobs.ts';
import { fakeRuntime } from '../../src/drivers/runtime/fake/runtime.ts';
import type { FakeInstanceBehaviour } from '../../src/drivers/runtime/fake/runtime.ts';
import { jobsConformance } from './jobs.ts';
import type { JobConduct } from './jobs.ts';
import { runtimeConformance } from './runtime.ts';
import type { Conduct } from './runtime.ts';

const instances: Record<Conduct, FakeInstanceBehaviour> = {
  runs: {},
  'exits-3': { ends: { afterMs: 40, end: { kind: 'exit', code: 3 } } },
  killed: { ends: { afterMs: 40, end: { kind: 'signal', signal: 'SIGKILL' } } },
  'ignores-stop': { stopsAfterMs: null },
  'not-found': { ends: { afterMs: 0, end: { kind: 'start-failed', detail: 'command not found' } } },
};

const jobs: Record<JobConduct, FakeJobBehaviour> = {
  succeeds: { kind: 'exit', code: 0, afterMs: 40 },
  'exits-3': { kind: 'exit', code: 3, afterMs: 40 },
  killed: { kind: 'signal', signal: 'SIGKILL', afterMs: 40 },
  hangs: { kind: 'hang', heedsCancel: true },
  'ignores-cancel': { kind: 'hang' },
};

function bench() {
  let now = 1_700_000_000_000;
  return {
    clock: { now: () => now },
    command: (conduct: string) => conduct,
    pass: async (ms: number) => void (now += ms),
  };
}

runtimeConformance('fake', () => {
  const { clock, command, pass } = bench();
  const runtime = fakeRuntime({ clock, behaviour: (spec) => instances[spec.command as Conduct] });
  return { again: () => runtime, artifact: '/nowhere', log: '/nowhere/log', command, pass };
});

jobsConformance('fake', () => {
  const { clock, command, pass } = bench();
  const runner = fakeJobs({ clock, behaviour: (spec) => jobs[spec.command as JobConduct] });
  return { again: () => runner, cwd: '/nowhere', log: '/nowhere/log', command, pass };
});
