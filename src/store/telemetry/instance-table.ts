import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { InstanceSample, Resolution } from '../../ports/store.ts';
import { expirer } from './expire.ts';
import { addInstance, type InstanceTotals, mergeInstances } from './merge.ts';

export function instanceTable(database: DatabaseSync, resolution: Resolution) {
  const table = `instances_${resolution}`;
  database.exec(`create table if not exists ${table} (
    key text not null, at integer not null, instance text not null, release text not null,
    samples integer not null, cpu_sum real not null, memory_sum real not null,
    cpu_max real not null, memory_max real not null,
    primary key (key, at, instance)) without rowid`);
  const one = database.prepare(`select * from ${table} where key = ? and at = ? and instance = ?`);
  const put = database.prepare(`insert or replace into ${table} values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const range = database.prepare(`select * from ${table} where key = ? and at >= ? and at < ? order by at, instance`);
  return {
    /** Adds to what is there for the same key, time and instance. */
    add(samples: readonly InstanceSample[]): void {
      for (const sample of mergeInstances(samples, resolution)) {
        const before = one.get(sample.key, sample.at, sample.instance);
        const row = before ? addInstance(toTotals(before), sample) : sample;
        const { key, at, instance, release } = row;
        put.run(key, at, instance, release, row.samples, row.cpuSum, row.memorySum, row.cpuMax, row.memoryMax);
      }
    },
    read({ key, from, to }: { key: string; from: number; to: number }): InstanceSample[] {
      return range.all(key, from, to).map((row) => toSample(toTotals(row), resolution));
    },
    expire: expirer(database, table, 'key, at, instance'),
  };
}

function toTotals(row: Record<string, SQLOutputValue>): InstanceTotals {
  return {
    at: Number(row['at']),
    key: String(row['key']),
    instance: String(row['instance']),
    release: String(row['release']),
    samples: Number(row['samples']),
    cpuSum: Number(row['cpu_sum']),
    memorySum: Number(row['memory_sum']),
    cpuMax: Number(row['cpu_max']),
    memoryMax: Number(row['memory_max']),
  };
}

function toSample(totals: InstanceTotals, resolution: Resolution): InstanceSample {
  const { at, key, instance, release, samples, cpuMax, memoryMax } = totals;
  const average = { cpu: totals.cpuSum / samples, memory: totals.memorySum / samples };
  const sample = { at, key, instance, release, ...average };
  return resolution === '10s' ? sample : { ...sample, cpuMax, memoryMax };
}
