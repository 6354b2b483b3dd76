import { challengeReplySchema, type ChallengeCommand } from '../../../domain/traffic/challenges.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { unixClient } from '../../../platform/unix-http.ts';

/** Has evenkeel's own edge answer challenges. Rejects with `edge-unreachable` and the like, or `challenge-refused`. */
export function edgeChallenges(options: { socketPath: string }): (change: ChallengeCommand) => Promise<void> {
  return async (change) => {
    const client = unixClient({ socketPath: options.socketPath, peer: 'The edge', timeoutMs: 5_000 });
    try {
      const reply = await client.reply({ method: 'POST', path: '/challenges', body: change });
      const parsed = challengeReplySchema.safeParse(reply.body);
      if (!parsed.success) throw refused(`it does not know challenges (status ${reply.status})`);
      if (parsed.data.refused !== null) throw refused(parsed.data.refused.detail);
    } finally {
      client.close();
    }
  };
}

const refused = (why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'challenge-refused',
    what: 'the edge does not answer the challenge of the issuer',
    why,
    next: 'evenkeel server restart-edge',
    retryable: true,
    exit: 2,
  });
