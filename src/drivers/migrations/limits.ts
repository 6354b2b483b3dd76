export interface ReaderLimits {
  /** Bytes of one SQL file, of all of them, and how many. */
  sqlBytes: number;
  allSqlBytes: number;
  sqlFiles: number;
  /** Bytes of one source file, of all of them. */
  sourceBytes: number;
  allSourceBytes: number;
  /** Milliseconds for all of the reading, and for the search after it. */
  readMs: number;
  searchMs: number;
}

/** What the reader of migrations takes on, so that no file holds a deploy up or eats the memory of the machine. */
export const LIMITS: ReaderLimits = {
  sqlBytes: 1024 * 1024,
  allSqlBytes: 16 * 1024 * 1024,
  sqlFiles: 500,
  sourceBytes: 1024 * 1024,
  allSourceBytes: 128 * 1024 * 1024,
  readMs: 8_000,
  searchMs: 6_000,
};
