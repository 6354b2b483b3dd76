import type { Api, Call } from '../core/api.ts';
import { GoogleError, invalid, notFound } from '../core/google-error.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { isObject, textAt } from '../json.ts';

const HOUR_S = 3600;

/** Tokens in the name of a service account. Who may ask is not modelled but by planned denials. */
export const iamcredentials: Api = {
  document: 'iamcredentials.v1',
  handlers: {
    'iamcredentials.projects.serviceAccounts.generateAccessToken': (call, world) => {
      const asked = Number((textAt(call.body, 'lifetime') ?? `${String(HOUR_S)}s`).slice(0, -1));
      if (asked > 12 * HOUR_S || asked <= 0) throw invalid('The lifetime is not allowed.');
      const { token, expiresAt } = world.identities.accessToken(emailOf(call, world), asked);
      return { accessToken: token, expireTime: timestamp(expiresAt) };
    },
    'iamcredentials.projects.serviceAccounts.generateIdToken': (call, world) => {
      const audience = textAt(call.body, 'audience');
      if (audience === undefined || audience === '') throw invalid('The audience is required.');
      return { token: world.identities.identityToken(emailOf(call, world), audience) };
    },
    'iamcredentials.projects.serviceAccounts.signJwt': (call, world) => {
      emailOf(call, world);
      const claims: unknown = JSON.parse(textAt(call.body, 'payload') ?? '{}');
      return { keyId: 'emulator', signedJwt: world.identities.signed(isObject(claims) ? claims : {}) };
    },
  },
};

function emailOf(call: Call, world: World): string {
  const email = call.at('name').split('/')[3] ?? '';
  const account = world.state.table('iam.serviceAccounts').get(email);
  if (account === undefined) throw notFound(`Unknown service account: ${email}`);
  if (account['disabled'] === true) throw new GoogleError('PERMISSION_DENIED', `Service account ${email} is disabled.`);
  return email;
}
