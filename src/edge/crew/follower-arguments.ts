import type { ProcessIdentity } from '../../platform/process/identity.ts';

/** Before what a follower has to know from its start on. */
const FOLLOWER = '--follower';

/** What a lead says to a follower on its command line. */
export interface Upbringing {
  /** In which the lead counts. */
  readonly epoch: string;
  /** Who started the lead, and would start another one; null: nobody would. */
  readonly keeper: ProcessIdentity | null;
}

export const followerArguments = (upbringing: Upbringing): string[] => [FOLLOWER, JSON.stringify(upbringing)];

/** Null: this process is no follower. */
export function upbringingIn(argv: readonly string[]): Upbringing | null {
  const at = argv.indexOf(FOLLOWER);
  return at < 0 ? null : (JSON.parse(argv[at + 1] ?? 'null') as Upbringing | null);
}
