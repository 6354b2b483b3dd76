import { mkdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../../platform/atomic-file.ts';
import { cgroupParents, createCgroup, removeCgroup } from '../../../platform/process/cgroup.ts';
import type { CgroupParents } from '../../../platform/process/cgroup.ts';
import { bootId } from '../../../platform/process/identity.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Permit } from '../../../ports/permit.ts';
import type { JobObservation, JobRunner, JobSpec } from '../../../ports/runtime.ts';
import { signalName } from './end-reason.ts';
import { jobBase } from './environment.ts';
import { allowPorts, guestFor, seat } from './guests.ts';
import { cgroupName, digest, discardFolder, folderOf, isCode, readClaim, readIfThere } from './folder.ts';
import type { EndRecord } from './folder.ts';
import { launch } from './launch.ts';
import { asItIs, lastLines, type Redact } from './last-lines.ts';
import { noteInLog } from './log-note.ts';
import { halt, look, processList } from './life.ts';
import { type PortGuard, portGuard } from './port-guard.ts';
import { makeWorkingCopy, removeUnfinishedCopies } from './working-copy.ts';

const recordSchema = z.object({
  id: z.string(),
  boot: z.string(),
  cgroups: z.array(z.string()),
  log: z.string().nullable().default(null),
});
type JobRecord = z.infer<typeof recordSchema>;

export interface ProcessJobsOptions {
  /** Absolute; jobs live in its `jobs`, their temporary files in `tmp`. */
  home: string;
  /** Where control groups can be made; looked for when absent. */
  cgroups?: CgroupParents;
  /** Takes what is secret out of the last lines of a job. */
  redact?: Redact;
  /** Keeps jobs of other users from the ports of services; by nftables when absent. */
  guard?: PortGuard;
  /** Asked before anything is started; everything may be when absent. */
  permit?: Permit;
}

/** Runs jobs as processes of this machine, the same way as instances; see shim.sh. */
export function processJobs(options: ProcessJobsOptions): JobRunner {
  return new ProcessJobs(options);
}

class ProcessJobs implements JobRunner {
  readonly #home: string;
  readonly #jobs: string;
  readonly #parents: CgroupParents;
  readonly #redact: Redact;
  readonly #permit: Permit;
  readonly #guard: PortGuard;
  readonly #starting = new Map<string, Promise<void>>();

  constructor({ home, cgroups, redact = asItIs, guard = portGuard(), permit = () => {} }: ProcessJobsOptions) {
    this.#guard = guard;
    this.#redact = redact;
    this.#permit = permit;
    this.#home = resolve(home);
    this.#jobs = join(this.#home, 'jobs');
    this.#parents = cgroups ?? cgroupParents();
  }

  start(spec: JobSpec): Promise<void> {
    const running = this.#starting.get(spec.id);
    if (running !== undefined) return running;
    const start = this.#start(spec).finally(() => this.#starting.delete(spec.id));
    this.#starting.set(spec.id, start);
    return start;
  }

  async #start(spec: JobSpec): Promise<void> {
    const folder = folderOf(this.#jobs, spec.id);
    if (readClaim(folder) !== null || ranBeforeReboot(readRecord(folder))) return;
    let cgroups: string[] = [];
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { folders, limits } = createCgroup(this.#parents, cgroupName(folder), spec.resources);
      cgroups = folders;
      if (limits.why !== null) noteInLog(spec.log, `not all limits are enforced: ${limits.why}`);
      // On the disk before anything runs: after a power cut this says that the job may have run.
      await writeFileAtomic(
        join(folder, 'job.json'),
        JSON.stringify({ id: spec.id, boot: bootId(), cgroups, log: spec.log }),
      );
      const cwd = await workingFolder(spec, folder);
      const tmp = this.#tmp(folder);
      mkdirSync(tmp, { recursive: true, mode: 0o700 });
      const { guest, note } = await guestFor(this.#home, spec, spec.runAs);
      if (note !== null) noteInLog(spec.log, `not all isolation holds: ${note}`);
      if (guest !== null) await allowPorts(this.#guard, guest, { ...spec, port: null });
      const place =
        guest === null
          ? null
          : await seat(this.#home, folder, guest, { folders: foldersOf(spec, folder, tmp), log: spec.log });
      const env = {
        ...jobBase(tmp, guest),
        ...spec.env,
        EVENKEEL_PROJECT: spec.project,
        EVENKEEL_ENVIRONMENT: spec.environment,
        EVENKEEL_JOB: spec.id,
      };
      const { command, log, resources } = spec;
      const openFiles = resources.openFiles ?? null;
      const permit = this.#permit;
      const start = { folder, command, cwd, env, log, cgroups, openFiles, seat: place, permit };
      await launch({ ...start, launch: 'job', durable: true });
      await removeUnfinishedCopies(join(folder, 'work'));
    } catch (error) {
      if (readClaim(folder) !== null) return;
      removeCgroup(cgroups);
      if (error instanceof EvenkeelError) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unexpected error';
      throw failed(spec.id, code, !isCode(error, 'ENOENT', 'ENOTDIR', 'E2BIG', 'EACCES'));
    }
  }

  async observe(id: string): Promise<JobObservation> {
    const folder = folderOf(this.#jobs, id);
    const record = readRecord(folder);
    const life = look(folder, record?.cgroups ?? [], processList());
    switch (life.state) {
      case 'absent':
        return ranBeforeReboot(record)
          ? { state: 'unknown', reason: 'the machine restarted while it may have run' }
          : { state: 'absent' };
      case 'living':
        return { state: 'running', startedAt: life.startedAt, pid: life.pid ?? life.shim.pid };
      case 'orphaned':
        // Its processes are being killed; until they are gone it counts as running, so that nothing is started beside it.
        return { state: 'running', startedAt: life.startedAt, pid: 0 };
      case 'ended':
        removeCgroup(record?.cgroups ?? []);
        return this.#withTail(endOf(life.end, life.startedAt, life.endedAt, life.stopRequested), record?.log ?? null);
    }
  }

  async cancel(id: string, { graceMs }: { graceMs: number }): Promise<void> {
    const folder = folderOf(this.#jobs, id);
    halt(folder, readRecord(folder)?.cgroups ?? [], { graceMs, reason: 'cancelled' });
  }

  async remove(id: string): Promise<void> {
    const observed = await this.observe(id);
    if (observed.state === 'running') {
      throw new EvenkeelError({
        code: 'job-running',
        what: `The job ${id} still runs and cannot be removed.`,
        next: 'Cancel it, and wait for its end.',
        retryable: true,
      });
    }
    const folder = folderOf(this.#jobs, id);
    await rm(this.#tmp(folder), { recursive: true, force: true });
    await discardFolder(folder);
  }

  /** What a job that failed said last, for whoever reads why. */
  async #withTail(job: JobObservation, log: string | null): Promise<JobObservation> {
    if (job.state !== 'ended' || job.exit === 0 || job.cancelled || log === null) return job;
    const tail = await this.#redact(lastLines(log));
    return tail === '' ? job : { ...job, tail };
  }

  #tmp(folder: string): string {
    return join(this.#home, 'tmp', digest(folder));
  }
}

function endOf(end: EndRecord, startedAt: number, endedAt: number, stopRequested: boolean): JobObservation {
  if ('unknown' in end) return { state: 'unknown', reason: end.unknown };
  if ('startFailed' in end) {
    // Nothing of it ever ran, which is known for sure.
    return stopRequested
      ? { state: 'ended', startedAt, endedAt, exit: null, signal: null, cancelled: true }
      : { state: 'unknown', reason: end.startFailed };
  }
  const { code, signalled, stopped: cancelled } = end;
  return {
    state: 'ended',
    startedAt,
    endedAt,
    exit: signalled ? null : code,
    signal: signalled ? signalName(code - 128) : null,
    cancelled,
  };
}

/** Where the job runs: the folder it names, or a copy of an artifact of its own. */
async function workingFolder({ id, cwd, workingCopy }: JobSpec, folder: string): Promise<string> {
  if (workingCopy !== undefined) return makeWorkingCopy({ ...workingCopy, target: join(folder, 'work') });
  if (cwd !== undefined && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return cwd;
  throw failed(id, `the folder ${cwd ?? '(none given)'} does not exist`, false);
}

/** All that a job of another user may see of the home. */
function foldersOf({ workingCopy, own = [] }: JobSpec, folder: string, tmp: string): string[] {
  const copy = workingCopy === undefined ? [] : [join(folder, 'work'), ...workingCopy.data.map(({ target }) => target)];
  return [...copy, ...own, tmp];
}

/** It was to be started before this boot, and its claim may not have reached the disk. */
function ranBeforeReboot(record: JobRecord | null): boolean {
  return record !== null && record.boot !== bootId();
}

function readRecord(folder: string): JobRecord | null {
  try {
    const text = readIfThere(join(folder, 'job.json'));
    return text === null ? null : recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function failed(id: string, why: string, retryable: boolean): EvenkeelError {
  return new EvenkeelError({
    code: 'job-start-failed',
    what: `The job ${id} could not be started.`,
    why,
    next: retryable
      ? 'Look at free disk space and load; evenkeel tries again.'
      : 'Correct what is missing, and start anew.',
    retryable,
    exit: 2,
  });
}
