import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { listen, type Loopback } from './loopback.ts';

type Key = Awaited<ReturnType<typeof newKey>>;

export interface MadeIssuer extends Loopback {
  /** What it says of itself; to be changed by a test. */
  discovery: Record<string, unknown>;
  /** The keys that it names. */
  keys: Key[];
  /** Answers instead of the keys, when set. */
  keysReply: { status: number; headers?: Record<string, string>; body?: string } | null;
  /** Answers the exchange of a code: the ID token that comes with it. */
  idToken: () => Promise<string> | string;
  /** A token as it makes them, for `aud: evenkeel` and an hour. */
  sign(claims: Record<string, unknown>, as?: { key?: Key; header?: Record<string, unknown> }): Promise<string>;
}

export async function newKey(kid: string, alg = 'RS256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An issuer that says and signs what a test wants it to. */
export async function madeIssuer(): Promise<MadeIssuer> {
  const loopback = await listen();
  const { url } = loopback;
  const issuer: MadeIssuer = {
    ...loopback,
    discovery: {
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'HS256', 'none'],
      authorization_response_iss_parameter_supported: false,
    },
    keys: [await newKey('first')],
    keysReply: null,
    idToken: () => '',
    sign(claims, { key = issuer.keys[0], header = {} } = {}) {
      if (key === undefined) throw new Error('there is no key');
      const now = Math.floor(Date.now() / 1000);
      const whole = { iss: url, aud: 'evenkeel', sub: 'bob', iat: now, exp: now + 3_600, ...claims };
      // What is set to undefined is left out.
      const payload = JSON.parse(JSON.stringify(whole)) as JWTPayload;
      return new SignJWT(payload)
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
        .sign(key.privateKey);
    },
  };
  loopback.server.on('request', (request, response) => {
    void answer(issuer, request).then(({ status, headers = {}, body = '' }) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body),
    );
  });
  return issuer;
}

async function answer(
  issuer: MadeIssuer,
  request: IncomingMessage,
): Promise<{ status: number; headers?: Record<string, string>; body?: string }> {
  await text(request);
  switch (request.url ?? '') {
    case '/.well-known/openid-configuration':
      return { status: 200, body: JSON.stringify(issuer.discovery) };
    case '/keys':
      return issuer.keysReply ?? { status: 200, body: JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }) };
    case '/token':
      return {
        status: 200,
        body: JSON.stringify({ access_token: 'a', token_type: 'Bearer', id_token: await issuer.idToken() }),
      };
    default:
      return { status: 404 };
  }
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const unsigned = (claims: object): string => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`;

/** Signed with the public key as if it were a secret: what a verifier takes that lets tokens choose the algorithm. */
export async function signedByPublicKey(key: Key, claims: object): Promise<string> {
  const head = `${encoded({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${encoded(claims)}`;
  return `${head}.${createHmac('sha256', await exportSPKI(key.publicKey))
    .update(head)
    .digest('base64url')}`;
}
