import { createPublicKey, verify } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Door } from '../core/api.ts';
import type { World } from '../core/world.ts';
import { readBody } from '../http/body.ts';
import { isObject, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/**
 * Google's token endpoint, for whoever holds a service account's key: a JWT signed by it becomes an access token, or an
 * identity token when it names an audience (`target_audience`).
 */
export const tokenDoor: Door = {
  opens: (host, path) =>
    path === '/token' ||
    (path === '/oauth2/v4/token' && host !== 'oauth2.googleapis.com') ||
    path === '/oauth2/v3/certs',
  handle: async (request, response, world) => {
    if (request.url?.endsWith('/certs') === true)
      return answer(response, 200, { keys: world.identities.publicKeys().keys });
    const form = new URLSearchParams((await readBody(request)).toString());
    if (form.get('grant_type') !== GRANT)
      return answer(response, 400, {
        error: 'unsupported_grant_type',
        error_description: 'Only the JWT grant is modelled.',
      });
    const claims = await claimsOf(form.get('assertion') ?? '', world);
    if (claims === null)
      return answer(response, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    const email = textAt(claims, 'iss') ?? '';
    const audience = textAt(claims, 'target_audience');
    const body =
      audience === undefined
        ? { access_token: world.identities.accessToken(email).token, expires_in: 3599, token_type: 'Bearer' }
        : { id_token: world.identities.identityToken(email, audience) };
    await world.state.flush();
    return answer(response, 200, body);
  },
};

async function claimsOf(jwt: string, world: World): Promise<JsonObject | null> {
  const [head = '', claims = '', signature = ''] = jwt.split('.');
  const said = parsed(claims);
  const email = textAt(said, 'iss') ?? '';
  if (Number(said['exp']) * 1000 <= world.now()) return null;
  const signed = Buffer.from(`${head}.${claims}`);
  // Not every client names the key that it signed with.
  const proven = world
    .findAccountKeys(email, textAt(parsed(head), 'kid') ?? null)
    .some((pem) => verify('sha256', signed, createPublicKey(pem), Buffer.from(signature, 'base64url')));
  return proven ? said : null;
}

function parsed(part: string): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
