/**
 * How long a client's idle connection is kept, ms, as Google's front ends do. A request that comes at the moment when one
 * is closed is lost: after Node's 5 s that happens, after this nearly never.
 */
export const KEPT_MS = 610_000;
