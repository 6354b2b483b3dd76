import { createHmac, timingSafeEqual } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

const sign = (text, secret) => createHmac('sha256', secret).update(text).digest('base64url');

/** @param lifeS how long it holds */
export function issue(subject, lifeS, secret) {
  const text = `${HEADER}.${encode({ sub: subject, exp: Math.floor(Date.now() / 1000) + lifeS })}`;
  return `${text}.${sign(text, secret)}`;
}

/** Whose it is; null: it is none of ours, or too old. */
export function verify(token, secret) {
  const [header, payload, signature = ''] = (token ?? '').split('.');
  if (header !== HEADER || payload === undefined) return null;
  const given = Buffer.from(signature);
  const right = Buffer.from(sign(`${header}.${payload}`, secret));
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const { sub, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  return exp * 1000 > Date.now() ? sub : null;
}
