import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobRunner } from '../../ports/runtime.ts';
import type { Permit } from '../../ports/permit.ts';
import { Artifacts } from './artifacts.ts';
import { BuildRecords } from './build-record.ts';
import { Gate } from './concurrency.ts';
import { Inputs } from './inputs.ts';
import { Objects } from './objects.ts';
import { Sources } from './sources.ts';

/** Everything that builds share. */
export interface Workshop {
  /** Absolute folder of all that is kept. */
  folder: string;
  /** Half-made things, all on the file system of the finished ones. */
  temporary: string;
  statCaches: string;
  /** What package managers of all builds share, so that the next build downloads nothing twice. */
  packageCache: string;
  objects: Objects;
  artifacts: Artifacts;
  sources: Sources;
  inputs: Inputs;
  records: BuildRecords;
  jobs: JobRunner;
  gate: Gate;
  /** Builds under way by input: one of each at a time. */
  underWay: Map<string, UnderWay>;
  pollMs: number;
  /** Bytes of the disk that builds leave to what runs; 0: all may be used. */
  reserve: number;
  /** Takes what is secret out of the last lines of a build. */
  redact: (text: string) => Promise<string>;
  /** Asked before anything is deleted or written down: others may read and build here by then. */
  permit: Permit;
}

export interface UnderWay {
  id: string;
  /** How it ended; `null` when it was cancelled, which says nothing about its input. */
  over: Promise<'built' | { failed: unknown } | null>;
}

export function openWorkshop(
  home: string,
  jobs: JobRunner,
  { pollMs, redact, reserve, permit }: Pick<Workshop, 'pollMs' | 'redact' | 'reserve' | 'permit'>,
): Workshop {
  const folder = join(resolve(home), 'artifacts');
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  const statCaches = join(folder, 'stat-cache');
  const objects = new Objects(join(folder, 'objects'), temporary);
  return {
    folder,
    temporary,
    statCaches,
    packageCache: join(resolve(home), 'cache'),
    objects,
    artifacts: new Artifacts(folder, objects),
    sources: new Sources({ caches: statCaches, home: resolve(home) }),
    inputs: new Inputs(join(folder, 'inputs'), join(folder, 'variant.key')),
    records: new BuildRecords(join(folder, 'builds'), temporary, permit),
    jobs,
    gate: new Gate(),
    underWay: new Map(),
    pollMs,
    reserve,
    redact,
    permit,
  };
}
