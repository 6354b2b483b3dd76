import type { Scope } from '../domain/project/scope.ts';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import type { Known, LastKnown, Unwritten, UnwrittenRequest } from '../ports/emergency.ts';

/** What people asked for while the store was away, in a file: whoever acts next reads it, whoever wrote it. */
export function unwrittenFile(file: string): Unwritten {
  let known: UnwrittenRequest[] = [];
  let stamp = '';
  let writing: Promise<unknown> = Promise.resolve();

  const refresh = (): void => {
    const stats = statSync(file, { throwIfNoEntry: false });
    const now = stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
    if (now === stamp) return;
    stamp = now;
    known = stats === undefined ? [] : ((parsed(file) as UnwrittenRequest[] | null) ?? known);
  };
  const write = (change: (before: UnwrittenRequest[]) => UnwrittenRequest[]): Promise<void> => {
    const written = writing.then(async () => {
      refresh();
      const after = change(known);
      // At once for this process, whatever becomes of the file.
      known = after;
      await writeFileAtomic(file, `${JSON.stringify(after)}\n`);
    });
    writing = written.catch(() => undefined);
    return written;
  };
  return {
    of({ project, environment }) {
      refresh();
      return known.filter((each) => each.project === project && each.environment === environment);
    },
    add: (request) => write((before) => [...before, request]),
    remove: (ids) => write((before) => before.filter(({ id }) => !ids.includes(id))),
  };
}

/**
 * What the store said last. With a file it outlives the process, for a controller that has to start while the store is
 * away; it is written as often as something of it has changed, and need not survive a power cut, after which nothing runs.
 */
export function lastKnownFile(file: string | null): LastKnown {
  const known = new Map<string, Known>();
  const versions = new Map<string, string>();
  for (const each of file === null ? [] : ((parsed(file) as Known[] | null) ?? []))
    known.set(nameOf(each.record), each);
  return {
    keep(each) {
      const name = nameOf(each.record);
      known.set(name, each);
      const version = versionOf(each);
      if (file === null || versions.get(name) === version) return;
      versions.set(name, version);
      try {
        writeFileSync(`${file}.new`, JSON.stringify([...known.values()]), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch {
        // A full disk: it is written again with the next change.
        versions.delete(name);
      }
    },
    of: (scope) => known.get(nameOf(scope)) ?? null,
    all: () => [...known.values()],
  };
}

const nameOf = ({ project, environment }: Scope): string => `${project}/${environment}`;

/** Without what only analysis counts: that is no reason to write. */
const versionOf = ({ record, rollouts, deployments, addresses, releases, scales }: Known): string =>
  JSON.stringify([
    record.updatedAt,
    record.wanted,
    record.config.environment.port,
    rollouts.map(({ id, phase, step, end, settled, requestSeq, paused, verified }) => [
      id,
      phase,
      step,
      end,
      settled,
      requestSeq,
      paused?.reason,
      verified.length,
    ]),
    deployments,
    addresses.length,
    scales,
    releases.map(({ id, artifact }) => [id, artifact === null]),
  ]);

function parsed(file: string): unknown {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
