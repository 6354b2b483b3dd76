import type { InstanceUsage } from '../../../domain/instance/instance.ts';
import { cgroupUsage } from '../../../platform/process/cgroup.ts';
import { residentMemory, ticksToMs } from '../../../platform/process/table.ts';
import type { ProcessList } from './life.ts';

/** Usage is read again after this time (ms); observing happens more often than anybody looks at it. */
const FRESH = 2_000;

export interface UsageMeter {
  /** `shim` leads the session of the instance. */
  of(folder: string, shim: number, cgroups: readonly string[], processes: ProcessList): InstanceUsage;
}

export function usageMeter(): UsageMeter {
  const measured = new Map<string, { at: number; shim: number; usage: InstanceUsage }>();
  return {
    of(folder, shim, cgroups, processes) {
      const now = performance.now();
      const last = measured.get(folder);
      if (last !== undefined && last.shim === shim && now - last.at < FRESH) return last.usage;
      const usage = cgroupUsage(cgroups) ?? sessionUsage(shim, processes, last?.shim === shim ? last.usage : null);
      measured.set(folder, { at: now, shim, usage });
      return usage;
    },
  };
}

/** Without a control group: what its session uses. A process that nobody waited for takes its share along; time never runs back. */
function sessionUsage(shim: number, processes: ProcessList, before: InstanceUsage | null): InstanceUsage {
  const members = processes().filter(({ session, group }) => session === shim || group === shim);
  const ticks = members.reduce((sum, { ticks }) => sum + ticks, 0);
  return {
    cpuMs: Math.max(ticksToMs(ticks), before?.cpuMs ?? 0),
    memory: residentMemory(members.map(({ pid }) => pid)),
  };
}
