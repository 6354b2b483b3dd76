import { createHash, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What an account is known by before it has a URL: its public key, P-256, members in the order that RFC 7638 hashes. */
function jwkOf(key: KeyObject): { crv: string; kty: string; x: string; y: string } {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

/** Proves to an issuer that whoever answers a challenge has the account's key. */
export function keyAuthorization(token: string, key: KeyObject): string {
  const thumbprint = createHash('sha256')
    .update(JSON.stringify(jwkOf(key)))
    .digest('base64url');
  return `${token}.${thumbprint}`;
}

/** A signed request body (flattened JWS, ES256). `account`: its URL, or null to name it by key. Null payload: a read. */
export function signedBody(
  { url, nonce, account, payload }: { url: string; nonce: string; account: string | null; payload: unknown },
  key: KeyObject,
): string {
  const head = { alg: 'ES256', nonce, url, ...(account === null ? { jwk: jwkOf(key) } : { kid: account }) };
  const content = { protected: encoded(head), payload: payload === null ? '' : encoded(payload) };
  const signature = sign('sha256', Buffer.from(`${content.protected}.${content.payload}`), {
    key,
    dsaEncoding: 'ieee-p1363',
  });
  return JSON.stringify({ ...content, signature: signature.toString('base64url') });
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
