import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkFacts, WorkFolder } from '../../domain/doctor/facts.ts';
import { digest, filesIn, MARK, readClaim, timeOf, type Claim } from '../../drivers/runtime/process/folder.ts';
import { readInstanceRecord } from '../../drivers/runtime/process/instance-record.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { isAlive } from '../../platform/process/identity.ts';
import { fromEnvironment, livingProcesses } from '../../platform/process/table.ts';

/** Reads only: what ought to be ended or recorded is left to the server. */
export function readWork(paths: EvenkeelPaths): WorkFacts {
  const folders = [...foldersIn('instance', paths.instances), ...foldersIn('job', paths.jobs)];
  return { folders, strays: strays(paths), leftovers: leftovers(paths, folders) };
}

function foldersIn(kind: WorkFolder['kind'], parent: string): WorkFolder[] {
  return [...filesIn(parent)]
    .filter((name) => !name.startsWith('.'))
    .map((name) => folderAt(kind, name, join(parent, name)));
}

function folderAt(kind: WorkFolder['kind'], name: string, path: string): WorkFolder {
  const record = kind === 'instance' ? readInstanceRecord(path) : null;
  const scope = record === null ? null : { project: record.project, environment: record.environment };
  const common = { kind, name, path, scope };
  const files = filesIn(path);
  const claim = claimIn(path);
  const since = claim?.at ?? timeOf(path) ?? 0;
  if (files.has('end')) return { ...common, state: 'ended', pid: null, since };
  if (claim === null || typeof claim.by === 'string') return { ...common, state: 'nothing', pid: null, since };
  const living = isAlive(claim.by);
  return { ...common, state: living ? 'living' : 'lost', pid: living ? claim.by.pid : null, since };
}

/** Null when it may not be read, too: whose home this is, is said elsewhere. */
function claimIn(path: string): Claim | null {
  try {
    return readClaim(path);
  } catch {
    return null;
  }
}

function strays(paths: EvenkeelPaths): WorkFacts['strays'] {
  return livingProcesses().flatMap(({ pid }) => {
    const folder = fromEnvironment(pid, MARK);
    if (folder === null || existsSync(folder)) return [];
    const ours = folder.startsWith(`${paths.instances}/`) || folder.startsWith(`${paths.jobs}/`);
    return ours ? [{ pid, folder }] : [];
  });
}

function leftovers(paths: EvenkeelPaths, folders: readonly WorkFolder[]): WorkFacts['leftovers'] {
  const used = new Set(folders.map(({ path }) => digest(path)));
  const found = [paths.instances, paths.jobs].flatMap((parent) =>
    [...filesIn(parent)].filter((name) => name.startsWith('.removed-')).map((name) => join(parent, name)),
  );
  const temporary = join(paths.home, 'tmp');
  for (const name of filesIn(temporary)) if (!used.has(name)) found.push(join(temporary, name));
  return found.map((path) => ({ path, at: timeOf(path) ?? 0 }));
}
