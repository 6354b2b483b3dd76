import { suggest } from '../../lib/suggest.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { DeskDeps } from './desk-deps.ts';

/** Gives a secret that the file declares its value, in the cloud. Throws `secret-unknown`. */
export async function setSecret(
  { config, cloud }: DeskDeps,
  { name, value }: { name: string; value: string },
  signal: AbortSignal,
): Promise<void> {
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
  await cloud.greet(signal);
  await cloud.setSecret(secret.id, value, signal);
}
