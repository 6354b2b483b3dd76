import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { EdgeSample, Resolution } from '../../ports/store.ts';
import { decodeCounts, decodeNumbers, encodeCounts, encodeNumbers } from './counts.ts';
import { expirer } from './expire.ts';
import { addEdge, mergeEdge } from './merge.ts';

export function edgeTable(database: DatabaseSync, resolution: Resolution) {
  const table = `edge_${resolution}`;
  database.exec(`create table if not exists ${table} (
    key text not null, at integer not null, release text not null,
    requests integer not null, bad integer not null, classes blob not null, ttfb blob not null,
    primary key (key, at, release)) without rowid`);
  const one = database.prepare(`select * from ${table} where key = ? and at = ? and release = ?`);
  const put = database.prepare(`insert or replace into ${table} values (?, ?, ?, ?, ?, ?, ?)`);
  const range = database.prepare(`select * from ${table} where key = ? and at >= ? and at < ? order by at, release`);
  return {
    /** Adds to what is there for the same key, time and release. */
    add(samples: readonly EdgeSample[]): void {
      for (const sample of mergeEdge(samples, resolution)) {
        const before = one.get(sample.key, sample.at, sample.release);
        const { key, at, release, requests, bad, classes, ttfb } = before ? addEdge(toSample(before), sample) : sample;
        put.run(key, at, release, requests, bad, encodeNumbers(classes), encodeCounts(ttfb));
      }
    },
    read({ key, release, from, to }: { key: string; release?: string; from: number; to: number }): EdgeSample[] {
      const samples = range.all(key, from, to).map(toSample);
      return release === undefined ? samples : samples.filter((sample) => sample.release === release);
    },
    expire: expirer(database, table, 'key, at, release'),
  };
}

function toSample(row: Record<string, SQLOutputValue>): EdgeSample {
  return {
    at: Number(row['at']),
    key: String(row['key']),
    release: String(row['release']),
    requests: Number(row['requests']),
    bad: Number(row['bad']),
    classes: decodeNumbers(bytes(row['classes'])),
    ttfb: decodeCounts(bytes(row['ttfb'])),
  };
}

const bytes = (value: SQLOutputValue | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array();
