/** What the reader of migrations takes on, so that no file holds a deploy up or eats the memory of the machine. */
export const LIMITS = {
  /** Bytes of one SQL file, of all of them, and how many. */
  sqlBytes: 1024 * 1024,
  allSqlBytes: 16 * 1024 * 1024,
  sqlFiles: 500,
  /** Bytes of one source file, of all of them. */
  sourceBytes: 1024 * 1024,
  allSourceBytes: 128 * 1024 * 1024,
  /** Milliseconds for all of the reading, and for the search after it. */
  readMs: 8_000,
  searchMs: 6_000,
} as const;
