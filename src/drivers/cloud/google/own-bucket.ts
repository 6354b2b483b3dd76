import type { storage_v1 } from '@googleapis/storage';
import { called } from '../../../platform/google/http.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Google } from './google.ts';
import { ifThere } from './kind-driver.ts';

/**
 * A bucket of this project; null: there is none of that name. Names are unique in the world and easily foreseen: somebody
 * else may have made one and opened it to all, to be given what is written there. Throws `cloud-name-taken`.
 */
export async function ownBucket(
  google: Google,
  name: string,
  signal: AbortSignal,
): Promise<storage_v1.Schema$Bucket | null> {
  const client = await google.clients.storage();
  const found = await ifThere(() => called(client.buckets.get({ bucket: name }, { signal }))).catch(
    (error: unknown): never => {
      if (!(error instanceof GoogleRefusal) || error.status !== 403 || error.code !== 'cloud-permission') throw error;
      return nameTaken(name, error);
    },
  );
  if (found === null || found.projectNumber === (await google.projectNumber(signal))) return found;
  return nameTaken(name);
}

export function nameTaken(name: string, cause?: unknown): never {
  throw new EvenkeelError({
    code: 'cloud-name-taken',
    what: `the name ${name} belongs to a bucket of somebody else: names of buckets are unique in the world`,
    ...(cause === undefined ? {} : { why: 'it is there, and this account may not even look at it' }),
    next: 'give the bucket another name in evenkeel.yaml (buckets: … name:)',
    exit: 2,
    cause,
  });
}
