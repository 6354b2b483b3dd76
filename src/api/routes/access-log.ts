import type { LogFile } from '../../ports/logs.ts';
import type { ApiDeps } from '../api-deps.ts';
import { accessLineSchema, type LogLine } from '../contract/logs.ts';

/** The access log of an environment, as the log of nobody in particular. */
export const accessLog = (deps: ApiDeps, scope: { project: string; environment: string }): LogFile => ({
  file: deps.engine.deps.places.accessLog(scope),
  service: 'edge',
  release: null,
  instance: null,
});

/** A line of it, as said by whoever answered; null when it is of somebody who is not asked for. */
export function accessLine(
  { line, at }: { line: string; at: number | null },
  wanted: { service?: string | undefined; release?: string | undefined; instance?: string | undefined },
): LogLine | null {
  const read = accessLineSchema.safeParse(parsed(line));
  const asked = wanted.service ?? wanted.release ?? wanted.instance;
  if (!read.success) return asked === undefined ? { at, service: 'edge', release: null, instance: null, line } : null;
  const { service, release, instance } = read.data;
  if (wanted.service !== undefined && wanted.service !== service) return null;
  if (wanted.release !== undefined && wanted.release !== release) return null;
  if (wanted.instance !== undefined && wanted.instance !== instance) return null;
  return { at: Date.parse(read.data.at), service: service ?? 'edge', release, instance, line };
}

/** The last so many, in their order. */
export async function* lastOf<T>(all: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  const kept: T[] = [];
  for await (const each of all) {
    kept.push(each);
    if (kept.length > 2 * count + 1000) kept.splice(0, kept.length - count);
  }
  yield* kept.slice(Math.max(0, kept.length - count));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
