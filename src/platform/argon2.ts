import { argon2, type Argon2Parameters, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<'argon2id', Argon2Parameters, Buffer>(argon2);

/** What the hashing of a password costs: KiB of memory, passes over it, lanes. */
export interface Argon2Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** The least that OWASP's password storage cheat sheet names for argon2id: 19 MiB, and some 60 ms here. */
export const ARGON2_COST: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 };

const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** More than this a hash in the store cannot ask for: it would be the way to take the machine's memory. */
const MOST: Argon2Cost = { memory: 262_144, passes: 16, parallelism: 16 };

/**
 * Hashes at a time. They run on the threads that also read files, of which there are four; a crowd that signs in must not
 * keep the controller from its work, nor take 19 MiB each.
 */
const AT_ONCE = 2;
/** Waiting for their turn; more are refused. */
const WAITING = 50;

/** Thrown when too many passwords are being looked at. */
export class TooManyHashes extends Error {}

let running = 0;
const waiting: (() => void)[] = [];

/** The hash of a password, `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`. Throws TooManyHashes. */
export async function hashArgon2(password: string, cost: Argon2Cost = ARGON2_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await hashed(password, salt, cost, HASH_BYTES);
  const { memory, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Whether the password is the one of the hash. With null, for somebody who has none or does not exist, it takes the same
 * time and is false: nobody learns from a clock who has an account. Throws TooManyHashes.
 */
export async function matchesArgon2(password: string, stored: string | null): Promise<boolean> {
  const known = stored === null ? null : parse(stored);
  const { cost, salt, hash } = known ?? {
    cost: ARGON2_COST,
    salt: Buffer.alloc(SALT_BYTES),
    hash: Buffer.alloc(HASH_BYTES),
  };
  const equal = timingSafeEqual(await hashed(password, salt, cost, hash.length), hash);
  return equal && known !== null;
}

/** Whether the hash was made with less (or other) than what new ones are made with, so that it should be made anew. */
export function isOutdated(stored: string, cost: Argon2Cost = ARGON2_COST): boolean {
  const known = parse(stored)?.cost;
  if (known === undefined) return true;
  return known.memory !== cost.memory || known.passes !== cost.passes || known.parallelism !== cost.parallelism;
}

const FORM = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{16,88})$/;

function parse(stored: string): { cost: Argon2Cost; salt: Buffer; hash: Buffer } | null {
  const [, memory, passes, parallelism, salt, hash] = FORM.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  if (cost.memory > MOST.memory || cost.passes > MOST.passes || cost.parallelism > MOST.parallelism) return null;
  if (cost.passes < 1 || cost.parallelism < 1 || cost.memory < 8 * cost.parallelism) return null;
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

async function hashed(password: string, salt: Buffer, cost: Argon2Cost, bytes: number): Promise<Buffer> {
  await turn();
  try {
    return await derive('argon2id', { ...cost, message: Buffer.from(password, 'utf8'), nonce: salt, tagLength: bytes });
  } finally {
    // Whoever is next takes this place over: nobody slips in between.
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

async function turn(): Promise<void> {
  if (running < AT_ONCE) {
    running++;
    return;
  }
  if (waiting.length >= WAITING) throw new TooManyHashes('too many passwords are being looked at');
  await new Promise<void>((resolve) => waiting.push(resolve));
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
