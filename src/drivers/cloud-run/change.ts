import { setTimeout as sleep } from 'node:timers/promises';
import type { RunService } from '../../domain/cloud/run/api.ts';
import { readRecord, type ServiceRecord } from '../../domain/cloud/run/record.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { isConflict, type Place, type RunApi } from './run-api.ts';

/** More changes by others than this between a look and an act do not come by chance. */
const TRIES = 8;
const PAUSE_MS = 100;

/** What is to become of a service: parts of it, all named in `mask`; null: it is as it ought to be. */
export type Change = { body: RunService; mask: string[] } | null;

/**
 * Looks at a service and changes it against what was seen (its etag), until nobody came in between. Answers whether
 * anything was changed; false too when there is no such service. Throws EvenkeelError `cloud-contested`.
 */
export async function changeService(
  api: RunApi,
  place: Place,
  name: string,
  change: (service: RunService, record: ServiceRecord) => Change,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const service = await api.service(place, name);
    if (service === null) return false;
    const wanted = change(service, readRecord(service));
    if (wanted === null) return false;
    try {
      const { etag } = service;
      await api.patchService(place, name, { ...wanted.body, ...(etag === undefined ? {} : { etag }) }, wanted.mask);
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (tries >= TRIES) throw contested(name, error);
      await sleep(PAUSE_MS * tries);
    }
  }
}

export const contested = (name: string, cause: unknown): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-contested',
    what: `somebody else keeps changing service ${name} on Cloud Run`,
    why: cause instanceof Error ? cause.message : String(cause),
    next: 'see who does: gcloud run services describe, or the audit log of the project',
    retryable: true,
    exit: 2,
    cause,
  });
