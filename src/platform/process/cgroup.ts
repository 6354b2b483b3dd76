import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * Control groups, as far as this user may make them. Version 1 has a tree for each controller, version 2 one for all;
 * a group is therefore a list of folders, of which the first knows the members.
 */
export interface CgroupLimits {
  /** Bytes, or null for none. */
  memory: number | null;
  /** Cores, or null for none. */
  cpu: number | null;
  /** Processes and threads at once; absent for none. */
  processes?: number | undefined;
}

/** Which limits hold; one that was not asked for counts as holding. */
export interface LimitsSet {
  memory: boolean;
  cpu: boolean;
  /** Why one does not hold, or null. */
  why: string | null;
}

type Controller = 'memory' | 'cpu' | 'cpuacct' | 'pids';

const CONTROLLERS = ['memory', 'cpu', 'cpuacct', 'pids'] as const;

/** Where groups can be made: a folder for each controller, or the one of version 2. */
export interface CgroupParents {
  version: 1 | 2 | null;
  folders: Partial<Record<Controller, string>>;
  /** Why there is nothing, or not everything. */
  why: string | null;
}

/** Looks for the places where this process may make control groups. */
export function cgroupParents(): CgroupParents {
  let mounts: string[];
  let own: string[];
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  } catch {
    return { version: null, folders: {}, why: 'this system has no control groups' };
  }
  const found = version1(mounts, own);
  if (Object.keys(found.folders).length > 0) return found;
  const second = version2(mounts, own);
  if (Object.keys(second.folders).length > 0) return second;
  return { version: null, folders: {}, why: found.why ?? second.why ?? 'no control group is mounted' };
}

function version1(mounts: string[], own: string[]): CgroupParents {
  const folders: CgroupParents['folders'] = {};
  let why: string | null = null;
  for (const mount of mounts) {
    const [before = '', after = ''] = mount.split(' - ');
    const [, , , root = '/', point = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup') continue;
    for (const controller of CONTROLLERS) {
      if (!options.split(',').includes(controller)) continue;
      const path = own.find((line) => line.split(':')[1]?.split(',').includes(controller))?.split(':')[2] ?? '/';
      const folder = join(point, relative(root, path));
      if (writable(folder)) folders[controller] = folder;
      else why = `this user may not make control groups in ${folder}`;
    }
  }
  return { version: 1, folders, why };
}

/**
 * In version 2 a group with members cannot hand controllers to groups below it. So groups are made beside the one
 * this process is in (systemd's `DelegateSubgroup=`), or at the top when this is root.
 */
function version2(mounts: string[], own: string[]): CgroupParents {
  const mount = mounts.find((line) => line.includes(' - cgroup2 '));
  if (mount === undefined) return { version: null, folders: {}, why: null };
  const [, , , root = '/', point = ''] = mount.split(' ');
  const path = own.find((line) => line.startsWith('0::'))?.slice(3) ?? '/';
  const mine = join(point, relative(root, path));
  for (const parent of new Set([mine === point ? point : dirname(mine), point])) {
    if (!writable(parent)) continue;
    if (!hasControllers(parent) && parent === point) {
      try {
        writeFileSync(join(parent, 'cgroup.subtree_control'), '+memory +cpu +pids');
      } catch {
        continue;
      }
    }
    if (hasControllers(parent))
      return { version: 2, folders: { memory: parent, cpu: parent, cpuacct: parent, pids: parent }, why: null };
  }
  return {
    version: 2,
    folders: {},
    why: `no control group near ${mine} is delegated to this user with memory and cpu`,
  };
}

function hasControllers(folder: string): boolean {
  const enabled = readText(join(folder, 'cgroup.subtree_control')).split(/\s/);
  return enabled.includes('memory') && enabled.includes('cpu');
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a control group with these limits; safe to repeat. `folders` is empty when there is nowhere to make one, and
 * a limit that cannot be set is told, never ignored in silence.
 */
export function createCgroup(
  parents: CgroupParents,
  name: string,
  limits: CgroupLimits,
): { folders: string[]; limits: LimitsSet } {
  const made: Partial<Record<Controller, string>> = {};
  let why = parents.why;
  for (const controller of CONTROLLERS) {
    const parent = parents.folders[controller];
    if (parent === undefined) continue;
    const folder = join(parent, name);
    try {
      mkdirSync(folder, { recursive: true });
      made[controller] = folder;
    } catch (error) {
      why = `the control group ${folder} could not be made: ${String(error)}`;
    }
  }
  const set = (controller: Controller, files: [string, string][]): boolean => {
    const folder = made[controller];
    if (folder === undefined) return false;
    try {
      for (const [file, value] of files) writeFileSync(join(folder, file), value);
      return true;
    } catch (error) {
      why = `the limit could not be set: ${String(error)}`;
      return false;
    }
  };
  const second = parents.version === 2;
  let memory = true;
  let cpu = true;
  if (limits.memory !== null) {
    const bytes = String(limits.memory);
    memory = set('memory', [[second ? 'memory.max' : 'memory.limit_in_bytes', bytes]]);
    // Without this the limit would only move memory to the swap space.
    if (memory) neverSwap(made.memory, second);
  }
  if (limits.cpu !== null) {
    const quota = Math.max(1_000, Math.round(limits.cpu * 100_000));
    cpu = second
      ? set('cpu', [['cpu.max', `${quota} 100000`]])
      : set('cpu', [
          ['cpu.cfs_period_us', '100000'],
          ['cpu.cfs_quota_us', String(quota)],
        ]);
  }
  let processes = true;
  if (limits.processes !== undefined) {
    processes = set('pids', [['pids.max', String(limits.processes)]]);
    if (!processes) why = `the number of processes is not limited: ${why ?? 'there is no pids controller'}`;
  }
  const folders = [...new Set(CONTROLLERS.map((each) => made[each]).filter((folder) => folder !== undefined))];
  return { folders, limits: { memory, cpu, why: memory && cpu && processes ? null : why } };
}

function neverSwap(folder: string | undefined, second: boolean): void {
  if (folder === undefined) return;
  try {
    writeFileSync(join(folder, second ? 'memory.swap.max' : 'memory.swappiness'), '0');
  } catch {
    // no swap space, or not for us to say
  }
}

/** Pids in the group; empty when it is gone. */
export function cgroupMembers(folders: readonly string[]): number[] {
  return folders[0] === undefined
    ? []
    : readText(join(folders[0], 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
}

/** CPU time used so far in ms, and resident memory in bytes without the file cache; null when the kernel does not say. */
export function cgroupUsage(folders: readonly string[]): { cpuMs: number; memory: number } | null {
  let cpuMs: number | null = null;
  let memory: number | null = null;
  for (const folder of folders) {
    const nanoseconds = readText(join(folder, 'cpuacct.usage'));
    if (nanoseconds !== '') cpuMs = Number(nanoseconds) / 1e6;
    const microseconds = field(readText(join(folder, 'cpu.stat')), 'usage_usec');
    if (microseconds !== null) cpuMs ??= microseconds / 1e3;
    const stat = readText(join(folder, 'memory.stat'));
    const anonymous = field(stat, 'total_rss') ?? field(stat, 'anon');
    if (anonymous !== null) memory = anonymous + (field(stat, 'total_mapped_file') ?? field(stat, 'file_mapped') ?? 0);
  }
  return cpuMs === null || memory === null ? null : { cpuMs: Math.round(cpuMs), memory };
}

/**
 * Removes an empty group; says whether it is gone. A member that was killed keeps it for as long as it is a zombie,
 * which without its parent may take a second or two.
 */
export function removeCgroup(folders: readonly string[]): boolean {
  let gone = true;
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      gone &&= !existsSync(folder);
    }
  }
  return gone;
}

function field(text: string, name: string): number | null {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
