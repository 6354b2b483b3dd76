import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HostFacts } from '../../domain/doctor/facts.ts';
import { whyNoGuests } from '../../drivers/runtime/process/guests.ts';
import { whyNoPortGuard } from '../../drivers/runtime/process/port-guard.ts';
import { cgroupParents } from '../../platform/process/cgroup.ts';
import { runCommand } from '../../platform/process/spawn.ts';

const NODE_WANTED = 24;
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));

export async function readHost(): Promise<HostFacts> {
  const { folders, why } = cgroupParents();
  return {
    platform: process.platform,
    kernel: release(),
    node: process.version,
    nodeWanted: NODE_WANTED,
    cores: availableParallelism(),
    memory: memory(),
    cgroups: { memory: folders.memory !== undefined, cpu: folders.cpu !== undefined, why },
    git: await gitVersion(),
    shell: isExecutable('/bin/sh'),
    users: await users(),
    bootedAt: bootedAt(),
    installedAt: statSync(PACKAGE, { throwIfNoEntry: false })?.mtimeMs ?? null,
  };
}

async function users(): Promise<NonNullable<HostFacts['users']>> {
  const root = process.getuid?.() === 0;
  if (!root) return { root, why: null, whyNoPorts: null };
  const [why, whyNoPorts] = await Promise.all([whyNoGuests(), whyNoPortGuard()]);
  return { root, why, whyNoPorts };
}

function memory(): HostFacts['memory'] {
  const text = proc('meminfo');
  const bytes = (name: string): number | null => {
    const found = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found) * 1024;
  };
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')];
  return total === null || available === null ? null : { total, available };
}

function bootedAt(): number | null {
  const seconds = /^btime (\d+)$/m.exec(proc('stat'))?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

async function gitVersion(): Promise<string | null> {
  try {
    const { code, stdout } = await runCommand(['git', '--version'], { timeout: 5_000 });
    return code === 0 ? stdout.trim() : null;
  } catch {
    return null;
  }
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function proc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'latin1');
  } catch {
    return '';
  }
}
