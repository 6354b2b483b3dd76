import { accessLineSchema, type LogLine } from '../api/contract/logs.ts';
import { formatBytes, formatDuration } from '../lib/format.ts';
import type { Output } from './output.ts';
import { printable } from './screen/text.ts';
import { timeOfDay } from './screen/time.ts';

/** Makes a line of text of a line of the access log. What is not one is shown as it is. */
export function accessPrinter({ style }: Output): (line: LogLine) => string {
  return ({ line }) => {
    const read = accessLineSchema.safeParse(parsed(line));
    if (!read.success) return printable(line);
    const { at, client, method, host, path, query, status, bytes, ms, release, refusedBy, end } = read.data;
    const paint = status >= 500 || end === 'broken' ? style.red : status >= 400 ? style.yellow : style.green;
    const asked = `${method} ${host ?? ''}${path}${query === undefined ? '' : `?${query}`}`;
    const why = [refusedBy === undefined ? [] : `refused: ${refusedBy}`, end ?? []].flat();
    const who = release ?? 'the edge';
    return [
      style.dim(timeOfDay(Date.parse(at))),
      paint(String(status === 0 ? '---' : status)),
      printable(asked),
      style.dim(`${took(ms)}, ${formatBytes(bytes)}, ${who}, from ${printable(client)}`),
      ...why.map((each) => style.yellow(each)),
    ].join(' ');
  };
}

const took = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : formatDuration(Math.round(ms)));

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
