import { cpus, loadavg, release, totalmem } from 'node:os';

/** Where it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Processes that wanted to run during the last minute, before the bench began: above 0.5, the figures suffer. */
  readonly loadBefore: number;
  readonly at: string;
}

export function machine(): Machine {
  const all = cpus();
  return {
    cpu: (all[0]?.model ?? 'unknown').trim(),
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    at: new Date().toISOString().slice(0, 16).replace('T', ' '),
  };
}

export const machineText = ({ cpu, cores, memoryGiB, kernel, node, loadBefore, at }: Machine): string =>
  `${cores} cores (${cpu}), ${memoryGiB} GiB, ${kernel}, Node ${node}, ${at} UTC; load average before: ${loadBefore}`;
