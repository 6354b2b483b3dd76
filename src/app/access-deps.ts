import { SESSION_RULE } from '../domain/access/sessions.ts';
import { nodeCredentials } from '../drivers/access/credentials.ts';
import { fileSealer } from '../drivers/secrets/file-sealer.ts';
import { storeAway } from '../engine/emergency/away-store.ts';
import type { AccessDeps } from '../engine/access/deps.ts';
import { newId } from '../platform/ids.ts';
import type { HoldsAccess } from '../ports/access-store.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Users, sessions and tokens, from the moment somebody asks for them: most commands never do. Without a store nobody new is
 * recognised.
 */
export function accessDeps(
  store: HoldsAccess | null,
  sealedWith: Parameters<typeof fileSealer>[0],
  clock: Pick<Clock, 'now'>,
): () => Promise<AccessDeps> {
  const credentials = nodeCredentials({ sealer: fileSealer(sealedWith), issuer: 'evenkeel' });
  return async () => {
    if (store === null) throw storeAway();
    return { store: await store.access(), credentials, clock, newId, rule: SESSION_RULE };
  };
}

/** Whatever is over proves nothing any more. */
export async function forgetSessions(access: () => Promise<AccessDeps>): Promise<void> {
  const { store, clock, rule } = await access();
  await store.forgetExpired(clock.now(), rule);
}
