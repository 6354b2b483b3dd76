import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { SecretScope } from '../../ports/secrets.ts';

/** Where alone a sealed value opens. `version` is null for what was sealed before values had any. */
export type SealedPlace = SecretScope & { name: string; version: string | null };

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The value, encrypted for this place alone: base64 of nonce, ciphertext and tag. */
export const seal = (key: Uint8Array, place: SealedPlace, value: string): string => encrypt(key, bound(place), value);

/** Null when it was altered, sealed for another place, or with another key. */
export const unseal = (key: Uint8Array, place: SealedPlace, sealed: string): string | null =>
  decrypt(key, bound(place), sealed);

/** Base64 of nonce, ciphertext and tag. It opens with the same key and the same binding only. */
export function encrypt(key: Uint8Array, binding: Uint8Array, value: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(binding);
  const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return sealed.toString('base64');
}

/** Null when it was altered, bound to something else, or encrypted with another key. */
export function decrypt(key: Uint8Array, binding: Uint8Array, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(binding);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const value = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return value.toString('utf8');
  } catch {
    return null;
  }
}

/** Tells a wrong key from a damaged value, and says nothing about the key. */
export function keyMark(key: Uint8Array): string {
  return createHash('sha256').update('evenkeel secrets key\0').update(key).digest('hex').slice(0, 16);
}

/** Entries that are swapped with one another, with a former value, or moved to another environment, no longer open. */
function bound({ project, environment, name, version }: SealedPlace): Buffer {
  const place = [project, environment, name];
  return Buffer.from(
    JSON.stringify(version === null ? ['evenkeel secret 1', ...place] : ['evenkeel secret 2', ...place, version]),
  );
}
