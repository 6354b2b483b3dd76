import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** RFC 6238 as every authenticator app knows it: SHA-1, six digits, 30 s. */
const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps by which a phone's clock may be off, either way. */
const SKEW = 1;
/** As long as what HMAC-SHA-1 makes, as RFC 4226 advises. */
const SECRET_BYTES = 20;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret in base32, for an authenticator app. */
export function newTotpSecret(): string {
  const bits = [...randomBytes(SECRET_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE32.charAt(Number.parseInt(five, 2))).join('');
}

/** What an app reads from a QR code. */
export function totpUri({ issuer, account, secret }: { issuer: string; account: string; secret: string }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&digits=${DIGITS}&period=${STEP_MS / 1_000}`;
}

/**
 * The step whose code this is, within one of now and after `usedStep`; null when it is none. A code counts once: whoever
 * accepts it stores the step, and neither it nor an earlier one is looked at again. All candidates are always compared.
 */
export function matchingStep(
  secret: string,
  code: string,
  { now, usedStep }: { now: number; usedStep: number | null },
): number | null {
  const given = Buffer.from(code.replaceAll(/\s/g, ''));
  const key = fromBase32(secret);
  const current = Math.floor(now / STEP_MS);
  let found: number | null = null;
  for (let step = current - SKEW; step <= current + SKEW; step++) {
    const wanted = Buffer.from(codeAt(key, step));
    const equal = given.length === wanted.length && timingSafeEqual(given, wanted);
    if (equal && found === null && step > (usedStep ?? -1)) found = step;
  }
  return found;
}

/** The code of a moment (ms since 1970), as an app would show it. */
export const totpCode = (secret: string, now: number): string => codeAt(fromBase32(secret), Math.floor(now / STEP_MS));

function codeAt(key: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.max(0, step)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7f_ff_ff_ff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text.replace(/=+$/, ''), (each) => BASE32.indexOf(each).toString(2).padStart(5, '0')).join(
    '',
  );
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
