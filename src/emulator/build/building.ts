import { existsSync } from 'node:fs';
import type { CopyFrom } from './copy.ts';
import { BuildFailure, type ImageConfig } from './image.ts';
import type { ImageStore } from './image-store.ts';

export interface BuildOptions {
  /** Folder of the context. */
  context: string;
  /** Below the context. */
  dockerfile: string;
  buildArgs: Readonly<Record<string, string>>;
  /** The stage to stop at; the last by default. */
  target: string | null;
  log: (line: string) => void;
  signal: AbortSignal;
}

export interface BuildPlace {
  store: ImageStore;
  /** For the stages while they are being built. */
  scratch: string;
  /** Folders that come first in PATH. */
  tools: string[];
  hostEnv: Readonly<Record<string, string>>;
  /** PATH of this machine. */
  hostPath: string;
  now: () => number;
}

export interface Stage {
  name: string | null;
  folder: string;
  config: ImageConfig;
  /** ARGs declared so far, with their values. */
  args: Record<string, string>;
}

/** What instructions need to know. */
export interface Building extends BuildOptions {
  place: BuildPlace;
  stages: Stage[];
  contextFiles: CopyFrom;
}

/** Where COPY --from takes its files. */
export function copySource(building: Building, name: string): CopyFrom {
  const stage = building.stages.find((each, index) => each.name === name.toLowerCase() || String(index) === name);
  const folder = stage?.folder ?? building.place.store.find(name)?.folder;
  if (folder === undefined || !existsSync(folder))
    throw new BuildFailure(`COPY --from=${name}: there is no such stage, and no image of that name was built here`);
  return { folder, ignored: () => false };
}
