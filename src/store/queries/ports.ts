import type { Kysely } from 'kysely';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Database } from '../rows/database.ts';

/** Every port that was given to anybody, ascending. */
export async function takenPorts(db: Kysely<Database>): Promise<number[]> {
  const stable = await db.selectFrom('deployments').select(['internal_port', 'preview_port']).execute();
  const addresses = await db.selectFrom('addresses').select('port').execute();
  return [...stable.flatMap((row) => [row.internal_port, row.preview_port]), ...addresses.map(({ port }) => port)]
    .filter((port) => port !== null)
    .toSorted((a, b) => a - b);
}

export function portTaken(port: number): EvenkeelError {
  return new EvenkeelError({
    code: 'port-taken',
    what: `The port ${port} was given to another service meanwhile; nothing was written.`,
    next: 'Ask for the taken ports again and choose others.',
    retryable: true,
    exit: 2,
  });
}
