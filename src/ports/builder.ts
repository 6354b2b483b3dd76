import type { ServiceConfig } from '../domain/project/project.ts';
import type { TreeFile } from '../domain/migration/files.ts';
import type { SourceInfo } from '../domain/release/release.ts';

export interface BuildRequest {
  /** Deterministic, such as `<rollout>.build.api`. */
  id: string;
  project: string;
  environment: string;
  /** Absolute folder of the project. */
  root: string;
  service: ServiceConfig;
  /** Resolved, secrets included; never stored. */
  env: Record<string, string>;
  /** Where the build's output goes, absolute; appended. */
  log: string;
}

export type BuildObservation =
  | { state: 'absent' }
  | { state: 'running'; detail: string }
  /** `reused`: the input was unchanged, nothing ran. */
  | { state: 'done'; artifact: string; reused: boolean; detail: string }
  | { state: 'failed'; detail: string };

/**
 * Turns a project's folder into artifacts: content-addressed trees of files that are never written to again.
 * The source is copied when the build is asked for the first time, so that later edits do not mix into it.
 */
export interface Builder {
  /**
   * Looks at what builds of these services would be refused for, and what they could not run without, before anything is
   * written or paid for. Throws EvenkeelError with exit 1 and all that is in the way. `environment`: by its name.
   */
  examine(root: string, services: readonly ServiceConfig[], environment: string): Promise<void>;
  /** Begins, or goes on after a crash; the same id never builds twice at a time. Resolves at once. */
  start(request: BuildRequest): Promise<void>;
  observe(id: string): Promise<BuildObservation>;
  cancel(id: string): Promise<void>;
  /** Drops the clean copy and the records of a build that is over; its artifact and log stay. */
  remove(id: string): Promise<void>;
  /** Digest of what a build of this service would read (files, command, folder); equal digests give the same artifact. */
  inputDigest(root: string, service: ServiceConfig): Promise<string>;
  /** The artifact that an input of this digest was built into, if it is still there. */
  artifactOf(inputDigest: string): Promise<string | null>;
  /** What a build of this service would read. */
  sourceFiles(root: string, service: ServiceConfig): Promise<TreeFile[]>;
  /** What an artifact holds; null when it is not there. */
  artifactFiles(artifact: string): Promise<TreeFile[] | null>;
  /** Absolute, read-only by convention. */
  artifactPath(artifact: string): string;
  has(artifact: string): Promise<boolean>;
  /** Deletes artifacts that are not in `keep` and no running build needs; answers how many bytes were freed. */
  collect(keep: Set<string>): Promise<{ artifacts: number; bytes: number }>;
  sourceInfo(root: string, label: string | null): Promise<SourceInfo>;
}
