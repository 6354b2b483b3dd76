import { suggest } from '../../lib/suggest.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { DeskDeps } from './desk-deps.ts';

/**
 * Gives a secret that the file declares its value, in the cloud; `database`: its database has it as well. Throws
 * `secret-unknown`, and `secret-derived` for what is put together from another.
 */
export async function setSecret(
  { config, cloud }: DeskDeps,
  { name, value }: { name: string; value: string },
  signal: AbortSignal,
): Promise<'secret' | 'database'> {
  const secret = config.secrets.find(({ variable, id }) => variable === name || id === name);
  if (secret === undefined) {
    const names = config.secrets.map(({ variable }) => variable);
    const meant = suggest(name, names);
    throw new EvenkeelError({
      code: 'secret-unknown',
      what: `evenkeel.yaml names no secret ${name}`,
      next: meant === null ? `one of ${names.join(', ') || 'none; add it under `secrets`'}` : `did you mean ${meant}?`,
    });
  }
  if (secret.id === config.database?.urlSecret)
    throw new EvenkeelError({
      code: 'secret-derived',
      what: `${secret.variable} is no value of its own: it is the address of the database with its password in it`,
      next: `evenkeel cloud secret ${config.secrets.find(({ id }) => id === config.database?.passwordSecret)?.variable ?? config.database.passwordSecret}`,
    });
  await cloud.greet(signal);
  return cloud.setSecret(secret.id, value, signal);
}
