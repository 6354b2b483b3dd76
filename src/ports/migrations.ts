import type { Finding } from '../domain/migration/finding.ts';

/** A file by its path in the project, and where it lies. */
export interface PlacedFile {
  path: string;
  absolute: string;
  /** Bytes. */
  size: number;
}

/** Reads what a migration brings. */
export interface MigrationReader {
  /**
   * What the statements of these SQL files mean for a release whose sources these are. Bounded in time and memory,
   * whatever the files hold; what was not read, or not searched, is said in the findings. `read` counts the files that
   * were read to their end.
   */
  examine(files: PlacedFile[], sources: PlacedFile[]): Promise<{ findings: Finding[]; read: number }>;
}
