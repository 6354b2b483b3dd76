import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InstanceObservation } from '../../../domain/instance/instance.ts';
import { cgroupParents, createCgroup, removeCgroup } from '../../../platform/process/cgroup.ts';
import type { CgroupParents } from '../../../platform/process/cgroup.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Permit } from '../../../ports/permit.ts';
import type { InstanceSpec, Runtime } from '../../../ports/runtime.ts';
import { lockOf, refuseBeside } from './alone.ts';
import { endedBadly, endReason } from './end-reason.ts';
import { instanceBase } from './environment.ts';
import { type GuardedPorts, guardedPorts } from './guarded-ports.ts';
import { allowPorts, type Guest, guestFor, seat } from './guests.ts';
import {
  cgroupName,
  claimForNobody,
  digest,
  discardFolder,
  filesIn,
  folderOf,
  isCode,
  readClaim,
  recordEnd,
} from './folder.ts';
import { readInstanceRecord, writeInstanceRecord } from './instance-record.ts';
import type { InstanceRecord } from './instance-record.ts';
import { launch } from './launch.ts';
import { asItIs, lastLines, type Redact } from './last-lines.ts';
import { noteInLog } from './log-note.ts';
import { halt, look, processList } from './life.ts';
import type { Life, ProcessList } from './life.ts';
import { type PortGuard, portGuard } from './port-guard.ts';
import { portPromises } from './ports.ts';
import { usageMeter } from './usage.ts';
import { makeWorkingCopy, removeUnfinishedCopies } from './working-copy.ts';

export interface ProcessRuntimeOptions {
  /** Absolute; instances live in its `instances`, their temporary files in `tmp`, promises of ports in `ports`. */
  home: string;
  /** Where control groups can be made; looked for when absent. */
  cgroups?: CgroupParents;
  /** Takes what is secret out of the last lines of an instance. */
  redact?: Redact;
  /** Keeps services of other users from each other's ports; by nftables when absent. */
  guard?: PortGuard;
  /** Asked before anything is started; everything may be when absent. */
  permit?: Permit;
}

/**
 * Runs instances as processes of this machine. All it knows is in files: any number of these objects over the same
 * home, in any process, before or after a crash, see and do the same.
 */
export function processRuntime(options: ProcessRuntimeOptions): Runtime {
  return new ProcessRuntime(options);
}

class ProcessRuntime implements Runtime {
  readonly kind = 'process';
  readonly #home: string;
  readonly #instances: string;
  readonly #parents: CgroupParents;
  readonly #ports;
  readonly #usage = usageMeter();
  /** Observations that can no longer change, by the inode of their folder. */
  readonly #ended = new Map<string, { inode: number; scope: string; observation: InstanceObservation }>();
  readonly #redact: Redact;
  readonly #permit: Permit;
  /** Of what has ended, and still held by zombies at the last look. */
  readonly #leftCgroups = new Set<readonly string[]>();
  readonly #starting = new Map<string, Promise<void>>();

  readonly #guard: PortGuard;
  readonly #guarded: GuardedPorts;

  constructor({ home, cgroups, redact = asItIs, guard = portGuard(), permit = () => {} }: ProcessRuntimeOptions) {
    this.#redact = redact;
    this.#guard = guard;
    this.#permit = permit;
    this.#home = resolve(home);
    this.#instances = join(this.#home, 'instances');
    this.#guarded = guardedPorts(this.#instances, guard);
    this.#parents = cgroups ?? cgroupParents();
    this.#ports = portPromises(join(this.#home, 'ports'), {
      isKnown: (id) => existsSync(folderOf(this.#instances, id)),
    });
  }

  start(spec: InstanceSpec): Promise<void> {
    const running = this.#starting.get(spec.id);
    if (running !== undefined) return running;
    const start = this.#start(spec).finally(() => this.#starting.delete(spec.id));
    this.#starting.set(spec.id, start);
    return start;
  }

  async #start(spec: InstanceSpec): Promise<void> {
    const folder = folderOf(this.#instances, spec.id);
    if (readClaim(folder) !== null) return;
    if (spec.alone === true) await refuseBeside(this, spec);
    const name = randomUUID().slice(0, 8);
    let cgroups: string[] = [];
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (spec.port !== null) this.#ports.bind(spec.port, spec.id);
      const { folders, limits } = createCgroup(this.#parents, cgroupName(folder), spec.resources);
      cgroups = folders;
      const record = { ...recordOf(spec), cgroups, limits };
      writeInstanceRecord(folder, name, { ...record, uid: null });
      const { guest, note } = await guestFor(this.#home, spec, spec.runAs);
      if (guest !== null) writeInstanceRecord(folder, name, { ...record, uid: guest.uid });
      if (note !== null) noteInLog(spec.log, `not all isolation holds: ${note}`);
      if (limits.why !== null) noteInLog(spec.log, `not all limits are enforced: ${limits.why}`);
      await this.#prepareAndLaunch(spec, { folder, cgroups, name, guest });
    } catch (error) {
      if (readClaim(folder) !== null) return; // another started it, and its end is told by observing it
      removeCgroup(cgroups);
      // Another controller starts it, or does not want it any more.
      if (error instanceof EvenkeelError && error.code === 'not-acting') throw error;
      this.#recordFailure(spec, folder, error);
    }
  }

  async #prepareAndLaunch(
    spec: InstanceSpec,
    { folder, cgroups, name, guest }: { folder: string; cgroups: string[]; name: string; guest: Guest | null },
  ): Promise<void> {
    const work = join(folder, 'work');
    const cwd = await makeWorkingCopy({ artifact: spec.artifact, target: work, dir: spec.dir, data: spec.data });
    const tmp = tmpOf(this.#home, folder);
    mkdirSync(tmp, { recursive: true, mode: 0o700 });
    if (guest !== null) await allowPorts(this.#guard, guest, spec);
    const folders = [work, tmp, ...spec.data.map(({ target }) => target)];
    const place = guest === null ? null : await seat(this.#home, folder, guest, { folders, log: spec.log });
    const env = {
      ...instanceBase(tmp, guest),
      HOST: '127.0.0.1',
      ...spec.env,
      ...(spec.port === null ? {} : { PORT: String(spec.port) }),
      EVENKEEL_PROJECT: spec.project,
      EVENKEEL_ENVIRONMENT: spec.environment,
      EVENKEEL_SERVICE: spec.service,
      EVENKEEL_RELEASE: spec.release,
      EVENKEEL_INSTANCE: spec.id,
    };
    const { command, log, resources } = spec;
    const lock = lockOf(this.#home, spec);
    const openFiles = resources.openFiles ?? null;
    const permit = this.#permit;
    const start = { folder, command, cwd, env, log, cgroups, openFiles, seat: place, permit, lock };
    await launch({ ...start, launch: name, durable: false });
    await removeUnfinishedCopies(work);
  }

  /** What cannot start has ended: an observation tells it, like any other end. Throws only when not even that can be written. */
  #recordFailure(spec: InstanceSpec, folder: string, error: unknown): void {
    const detail = startFailure(error, spec);
    try {
      if (!claimForNobody(folder)) return;
      recordEnd(folder, { startFailed: detail });
      noteInLog(spec.log, `could not start ${spec.id}: ${detail}`);
    } catch (cause) {
      throw new EvenkeelError({
        code: 'instance-start-failed',
        what: `${spec.id} could not be started, and not even that could be recorded.`,
        where: folder,
        why: detail,
        next: 'Look at free disk space and at the owner of the folder.',
        retryable: true,
        exit: 2,
        cause,
      });
    }
  }

  async stop(id: string, stop: { graceMs: number; reason: string }): Promise<void> {
    const folder = folderOf(this.#instances, id);
    halt(folder, readInstanceRecord(folder)?.cgroups ?? [], stop);
  }

  async observe(scope: { project: string; environment: string }): Promise<InstanceObservation[]> {
    for (const cgroup of this.#leftCgroups) if (removeCgroup(cgroup)) this.#leftCgroups.delete(cgroup);
    this.#guarded.keep();
    const processes = processList();
    const observations: InstanceObservation[] = [];
    for (const name of filesIn(this.#instances)) {
      if (name.startsWith('.')) continue; // being removed
      const observation = await this.#observeFolder(join(this.#instances, name), scopeKey(scope), processes);
      if (observation !== null) observations.push(observation);
    }
    return observations;
  }

  async #observeFolder(folder: string, scope: string, processes: ProcessList): Promise<InstanceObservation | null> {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) return null;
    const known = this.#ended.get(folder);
    if (known !== undefined && known.inode === inode) return known.scope === scope ? known.observation : null;
    const record = readInstanceRecord(folder);
    if (record === null || scopeKey(record) !== scope) return null;
    const life = look(folder, record.cgroups, processes);
    if (life.state === 'absent') return null;
    const observation = await this.#observation(folder, record, life, processes);
    if (life.state === 'ended') {
      this.#clearCgroup(record.cgroups); // its shim does it, unless it was killed
      this.#ended.set(folder, { inode, scope, observation });
    }
    return observation;
  }

  async #observation(
    folder: string,
    record: InstanceRecord,
    life: Exclude<Life, { state: 'absent' }>,
    processes: ProcessList,
  ): Promise<InstanceObservation> {
    const { id, service, release, index, generation, port, limits } = record;
    const { startedAt, stopRequested } = life;
    const common = { id, service, release, index, generation, port, startedAt, stopRequested, limits };
    if (life.state === 'ended') {
      const end = endReason(life, life.endedAt - startedAt);
      const tail = endedBadly(end, stopRequested) ? await this.#redact(lastLines(record.log)) : '';
      const told = tail === '' ? {} : { tail };
      return { ...common, state: 'ended', pid: null, endedAt: life.endedAt, end, usage: null, ...told };
    }
    if (life.state === 'orphaned') {
      return { ...common, state: 'stopping', pid: null, endedAt: null, end: null, usage: null };
    }
    const state = stopRequested || life.ending ? 'stopping' : 'running';
    const usage = this.#usage.of(folder, life.shim.pid, record.cgroups, processes);
    return { ...common, state, pid: life.pid ?? life.shim.pid, endedAt: null, end: null, usage };
  }

  #clearCgroup(cgroups: readonly string[]): void {
    if (!removeCgroup(cgroups)) this.#leftCgroups.add(cgroups);
  }

  async remove(id: string): Promise<void> {
    const folder = folderOf(this.#instances, id);
    const record = readInstanceRecord(folder);
    const life = look(folder, record?.cgroups ?? [], processList());
    if (life.state === 'living' || life.state === 'orphaned') {
      throw new EvenkeelError({
        code: 'instance-running',
        what: `${id} still runs and cannot be removed.`,
        next: 'Stop it, and wait for its end.',
        retryable: true,
      });
    }
    const forgotten = record === null ? null : await this.#guarded.forget(record);
    if (record !== null && record.port !== null) this.#ports.release(record.port, id);
    this.#clearCgroup(record?.cgroups ?? []);
    this.#ended.delete(folder);
    try {
      await rm(tmpOf(this.#home, folder), { recursive: true, force: true });
      await discardFolder(folder);
    } finally {
      forgotten?.();
    }
  }

  allocatePort(): Promise<number> {
    return this.#ports.allocate();
  }
}

/** Short, since programs put Unix sockets there, whose paths hold 107 bytes. */
function tmpOf(home: string, folder: string): string {
  return join(home, 'tmp', digest(folder));
}

function recordOf(spec: InstanceSpec): Omit<InstanceRecord, 'cgroups' | 'limits' | 'uid'> {
  const { id, project, environment, service, release, index, generation, port, log } = spec;
  const calls = [...(spec.calls ?? [])];
  return { id, project, environment, service, release, index, generation, port, log, calls };
}

const scopeKey = (scope: { project: string; environment: string }): string =>
  JSON.stringify([scope.project, scope.environment]);

/** One line for people. The system's errors are told by their code and place; their text could hold the environment. */
function startFailure(error: unknown, spec: InstanceSpec): string {
  if (error instanceof EvenkeelError) return error.message;
  if (isCode(error, 'ENOENT') && statSync(spec.artifact, { throwIfNoEntry: false }) === undefined) {
    return `the artifact ${spec.artifact} does not exist`;
  }
  if (error instanceof Error && 'code' in error) {
    const path = 'path' in error && typeof error.path === 'string' ? ` ${error.path}` : '';
    return `${String(error.code)}${path}`;
  }
  return 'an unexpected error';
}
