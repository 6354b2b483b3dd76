import type { AttributesByKind } from '../resource.ts';
import { between, type Price, times, usd } from './amounts.ts';
import { MONTH_HOURS, type Region, SQL } from './price-list.ts';

type Attributes = AttributesByKind['sql-instance'];

/** What machine a tier is; memory in GB. Null: a tier that is not known here. */
export type Machine =
  | { shared: string }
  | { shared: null; cpu: number; memoryGb: number; edition: 'enterprise' | 'enterprisePlus' };

/** `db-f1-micro`, `db-custom-2-7680` (MB), `db-n1-standard-2`, `db-perf-optimized-N-4`. */
export function machineOf(tier: string): Machine | null {
  if (SQL.sharedCore[tier] !== undefined) return { shared: tier };
  const [, cpus, megabytes] = /^db-custom-(\d+)-(\d+)$/.exec(tier) ?? [];
  if (cpus !== undefined && megabytes !== undefined) {
    return { shared: null, cpu: Number(cpus), memoryGb: Number(megabytes) / 1024, edition: 'enterprise' };
  }
  const [, type, size] = /^db-(n1-standard|n1-highmem|perf-optimized-N)-(\d+)$/.exec(tier) ?? [];
  if (type === undefined || size === undefined) return null;
  const cpu = Number(size);
  const memoryEach = { 'n1-standard': 3.75, 'n1-highmem': 6.5 }[type] ?? 8;
  return {
    shared: null,
    cpu,
    memoryGb: cpu * memoryEach,
    edition: type.startsWith('perf') ? 'enterprisePlus' : 'enterprise',
  };
}

/** An hour of the machine in Iowa. */
function hourly(machine: Machine): number {
  if (machine.shared !== null) return SQL.sharedCore[machine.shared] ?? 0;
  const rate = SQL[machine.edition];
  return machine.cpu * rate.cpu + machine.memoryGb * rate.memoryGb;
}

/** Machine, storage and backups. Another copy in a second zone doubles machine and storage. A stopped one keeps its storage. */
export function sqlPrice(attributes: Attributes, { compute }: Region, stopped: boolean): Price {
  const { tier, storageGb, storageType, publicAddress } = attributes;
  const copies = attributes.availability === 'REGIONAL' ? 2 : 1;
  const storage = storageGb * SQL.storageGb[storageType] * copies;
  const kept = storageGb * SQL.backupGb;
  const machine = machineOf(tier);
  const running = stopped || machine === null ? 0 : hourly(machine) * MONTH_HOURS * copies;
  const address = stopped && publicAddress ? SQL.idleAddress * MONTH_HOURS : 0;
  const fixed = times(running + storage + address, compute);
  const double = copies === 2 ? ' twice, for two zones' : '';
  const disk = `${storageGb} GB ${storageType} at about ${usd(SQL.storageGb[storageType])}${double}`;
  const of = stopped ? 'stopped' : `${tier}${machine === null ? '' : ` at about ${usd(running / copies)}${double}`}`;
  const idle = address > 0 ? `, its public address at ${usd(address)}` : '';
  const unknown = machine === null && !stopped;
  return between(
    fixed.low,
    unknown ? null : fixed.high + times(kept, compute).high,
    `${of}${unknown ? ' (a tier whose price is not known here)' : ''}, ${disk}${idle}, backups up to ${usd(kept)}`,
    attributes.autoIncrease ? 'storage that it adds by itself; traffic to the internet' : 'traffic to the internet',
  );
}
