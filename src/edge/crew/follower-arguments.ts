/** Before the epoch of the counters, on the command line of a follower. */
export const FOLLOWER = '--follower';

/** The epoch in which this process counts, if it is a follower. */
export function epochOfLead(argv: readonly string[]): string | null {
  const at = argv.indexOf(FOLLOWER);
  return at < 0 ? null : (argv[at + 1] ?? null);
}
