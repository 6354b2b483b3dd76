/**
 * Hashes that decide where a session goes. Stable for ever: a changed hash would move every session at once, so the
 * tests hold known values.
 */

const TWO_53 = 2 ** 53;

/**
 * A 53-bit hash of a string as a non-negative safe integer, after the public-domain cyrb53: two multiply-xorshift
 * lanes, mixed at the end. Not for secrets; it only has to be even, and fast on short strings.
 */
export function hash53(text: string, seed = 0): number {
  let h1 = 0xdeadbeef ^ seed;
  let h2 = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ c, 0x9e3779b1);
    h2 = Math.imul(h2 ^ c, 0x5f356495);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 0x85ebca6b) ^ Math.imul(h2 ^ (h2 >>> 13), 0xc2b2ae35);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 0x85ebca6b) ^ Math.imul(h1 ^ (h1 >>> 13), 0xc2b2ae35);
  h1 = Math.imul(h1 ^ (h1 >>> 15), 0x2c1b3c6d);
  h2 = Math.imul(h2 ^ (h2 >>> 15), 0x297a2d39);
  return (h2 & 0x1fffff) * 0x100000000 + (h1 >>> 0);
}

/** Where a 53-bit hash falls in [0, 100). */
export const hashToPercent = (hash: number): number => (hash / TWO_53) * 100;
