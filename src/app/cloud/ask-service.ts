import type { Credentials } from '../../platform/google/credentials.ts';
import type { Wire } from '../../platform/google/wire.ts';
import type { AskService } from '../../drivers/cloud-run/run-api.ts';

const BODY_LIMIT = 64 * 1024;

/** Asks services on Cloud Run once, at their own addresses: what they answer is what counts, whatever it is. */
export function askServices(wire: Wire, credentials: Credentials): AskService {
  return async ({ url, method, audience, timeoutMs }) => {
    const headers = new Headers({ 'user-agent': 'evenkeel-probe' });
    // A public service asks for none; without one a private service says itself what is missing.
    const token = audience === null ? null : await credentials.identityToken(audience).catch(() => null);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await wire.send({ method, url: new URL(url), headers, body: null, signal });
    return { status: answer.status, body: (await answer.text()).slice(0, BODY_LIMIT) };
  };
}
