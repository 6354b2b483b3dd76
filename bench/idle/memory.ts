import { readFileSync } from 'node:fs';
import { processStat } from '../../src/platform/process/identity.ts';

const MIB = 1024; // of KiB

export interface Memory {
  /**
   * MiB that these processes take together on a machine of their own: what is private, and each file that they share
   * (the Node program, libraries) once.
   */
  alone: number;
  /** MiB as the kernel divides them among all processes of this machine. Other Node processes make it smaller. */
  pss: number;
  rss: number;
  /** Private MiB of each process, in the order given. */
  own: number[];
}

export function memoryOf(pids: readonly number[]): Memory {
  const files = new Map<string, number>();
  const sum = { pss: 0, rss: 0 };
  const own = pids.map((pid) => {
    let mine = 0;
    for (const mapping of mappings(pid)) {
      sum.pss += mapping.pss;
      sum.rss += mapping.rss;
      const touched = mapping.file ? mapping.dirty : mapping.rss;
      mine += touched;
      if (mapping.file) files.set(mapping.key, Math.max(files.get(mapping.key) ?? 0, mapping.rss - touched));
    }
    return mine;
  });
  const shared = [...files.values()].reduce((total, each) => total + each, 0);
  const all = own.reduce((total, each) => total + each, 0);
  return {
    alone: (all + shared) / MIB,
    pss: sum.pss / MIB,
    rss: sum.rss / MIB,
    own: own.map((each) => each / MIB),
  };
}

/** Seconds of processor time that a process has used. */
export const processorSeconds = (pid: number): number => (processStat(pid)?.ticks ?? Number.NaN) / 100;

interface Mapping {
  file: boolean;
  key: string;
  /** All in KiB. */
  rss: number;
  pss: number;
  dirty: number;
}

function mappings(pid: number): Mapping[] {
  const found: Mapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ (\S+) (\S+) (\d+) +(.*)$/.exec(line);
    if (head !== null) {
      const [, offset = '', device = '', inode = '', path = ''] = head;
      found.push({ file: path.startsWith('/'), key: `${device} ${inode} ${offset}`, rss: 0, pss: 0, dirty: 0 });
      continue;
    }
    const [, name, kib] = /^(\w+): +(\d+) kB/.exec(line) ?? [];
    const last = found.at(-1);
    if (last === undefined || name === undefined) continue;
    if (name === 'Rss') last.rss = Number(kib);
    else if (name === 'Pss') last.pss = Number(kib);
    else if (name === 'Private_Dirty') last.dirty = Number(kib);
  }
  return found;
}
