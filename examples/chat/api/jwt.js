// JSON Web Tokens, HS256 and nothing else: a token that names another algorithm is refused, never obeyed.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../lib/http.js';

const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

/**
 * @param {string} user
 * @param {string} secret
 * @param {number} seconds until it expires
 */
export function sign(user, secret, seconds) {
  const now = Math.floor(Date.now() / 1000);
  const payload = `${HEADER}.${encode({ sub: user, iat: now, exp: now + seconds })}`;
  return `${payload}.${signature(payload, secret).toString('base64url')}`;
}

/**
 * @param {string | undefined} authorization the header
 * @param {string} secret
 * @returns {string} the user
 */
export function verify(authorization, secret) {
  const token = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization ?? '');
  if (!token) throw unauthorized('send a token: Authorization: Bearer <JWT>');
  const [, header, claims, given] = token;

  const expected = signature(`${header}.${claims}`, secret);
  const actual = Buffer.from(given, 'base64url');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    throw unauthorized('the signature does not match');
  }
  if (decode(header).alg !== 'HS256') throw unauthorized('only HS256 is accepted');
  const { sub, exp, nbf } = decode(claims);
  const now = Date.now() / 1000;
  if (typeof exp === 'number' && exp <= now) throw unauthorized('the token has expired');
  if (typeof nbf === 'number' && nbf > now) throw unauthorized('the token is not valid yet');
  if (typeof sub !== 'string' || sub === '' || sub.length > 100) throw unauthorized('the token names no user');
  return sub;
}

function signature(payload, secret) {
  return createHmac('sha256', secret).update(payload).digest();
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part) {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')));
  } catch {
    throw unauthorized('the token cannot be read');
  }
}

function unauthorized(message) {
  return new HttpError(401, 'unauthorized', message);
}
