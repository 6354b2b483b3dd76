import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 16 MiB and some 150 ms for each guess. */
const COST = { N: 2 ** 14, r: 8, p: 5 };
const BYTES = 32;
/** What a hash of somebody else's making may ask for at most. */
const MAX_MEMORY = 64 * 1024 * 1024;

/** A salted hash of a password, as `scrypt$N$r$p$SALT$HASH` in base64url. */
export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(16);
  const { N, r, p } = cost;
  const hash = await derive(password, salt, BYTES, cost);
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Whether a password is the one of a hash, compared in constant time; false for a hash that cannot be read. */
export async function passwordMatches(password: string, hashed: string): Promise<boolean> {
  const [scheme, N, r, p, salt, hash] = hashed.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64url');
  if (wanted.length === 0) return false;
  try {
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), wanted.length, cost), wanted);
  } catch {
    return false;
  }
}

/** On a thread of its own, so that nobody's request waits for it. */
function derive(password: string, salt: Buffer, bytes: number, cost: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, { ...cost, maxmem: MAX_MEMORY }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
