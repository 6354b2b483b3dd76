/** Addresses of clients and the lists they are looked up in. IPv4 and IPv6; an IPv4 address mapped into IPv6 is the IPv4 one. */

interface Parsed {
  /** It is an IPv4 address, alone in the last word. */
  readonly v4: boolean;
  /** 128 bits as four unsigned words, the highest first. */
  readonly words: readonly [number, number, number, number];
}

interface Network extends Parsed {
  /** Of 32 or 128. */
  readonly bits: number;
}

/** `10.1.2.3`, `2001:db8::1`, `::ffff:10.1.2.3` (which is `10.1.2.3`); null for anything else. A zone is left out. */
export function parseAddress(text: string): Parsed | null {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (!bare.includes(':')) {
    const word = parseV4(bare);
    return word === null ? null : { v4: true, words: [0, 0, 0, word] };
  }
  const groups = parseV6(bare);
  if (groups === null) return null;
  const word = (at: number): number => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return { v4: true, words: [0, 0, 0, word(6)] };
  return { v4: false, words: [word(0), word(2), word(4), word(6)] };
}

function parseV4(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  let word = 0;
  for (const part of match.slice(1)) {
    // Some read `010` as eight; nobody should have to guess who.
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return null;
    word = word * 256 + Number(part);
  }
  return word;
}

function parseV6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || head === null || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? null : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupsOf(half: string): number[] | null {
  if (half === '') return [];
  const parts = half.split(':');
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (at === parts.length - 1 && part.includes('.')) {
      const word = parseV4(part);
      if (word === null) return null;
      groups.push(word >>> 16, word & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

/** An address, or a network such as `10.0.0.0/8` or `2001:db8::/32`; null for anything else. */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefix, ...rest] = text.trim().split('/');
  const parsed = address.includes('%') ? null : parseAddress(address);
  if (parsed === null || rest.length > 0) return null;
  const most = parsed.v4 ? 32 : 128;
  if (prefix === undefined) return { ...parsed, bits: most };
  if (!/^\d{1,3}$/.test(prefix)) return null;
  // Of a mapped address the first 96 bits say only that it is one.
  const bits = Number(prefix) - (parsed.v4 && address.includes(':') ? 96 : 0);
  return bits < 0 || bits > most ? null : { ...parsed, bits };
}

/** Whether an address lies in one of these networks. IPv4 never lies in one of IPv6. Unreadable addresses lie nowhere. */
export function addressList(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.flatMap((text) => parseNetwork(text) ?? []);
  if (parsed.length === 0) return () => false;
  return (address) => {
    const asked = parseAddress(address);
    return asked !== null && parsed.some((network) => contains(network, asked));
  };
}

function contains({ v4, words, bits }: Network, asked: Parsed): boolean {
  if (v4 !== asked.v4) return false;
  let left = bits;
  for (let at = v4 ? 3 : 0; at < 4 && left > 0; at++, left -= 32) {
    const differs = ((words[at] ?? 0) ^ (asked.words[at] ?? 0)) >>> 0;
    if (left >= 32 ? differs !== 0 : differs >>> (32 - left) !== 0) return false;
  }
  return true;
}

/** What counts as one client in limits: an IPv4 address; of IPv6 the /64, since a whole one belongs to everybody's home. */
export function clientKey(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null) return address;
  const [first, second, , last] = parsed.words;
  return parsed.v4 ? String(last) : `${first}:${second}`;
}

export interface Client {
  /** Who asks, as far as proxies that are trusted say; as text. */
  readonly address: string;
  /** The part of the way here that can be believed, from the client on, the peer last. */
  readonly chain: string;
}

/**
 * Who asks. Everybody can write an `X-Forwarded-For`; each trusted proxy adds to its end whom it heard it from. So it is
 * read from the right, for as long as those who speak are trusted: the right-most address that is not is the client.
 */
export function clientOf(peer: string, forwardedFor: string | undefined, trusts: (address: string) => boolean): Client {
  let address = peer;
  let chain = peer;
  if (forwardedFor === undefined || !trusts(peer)) return { address, chain };
  for (const entry of forwardedFor.split(',').toReversed()) {
    const said = withoutPort(entry.trim());
    if (parseAddress(said) === null) break;
    address = said;
    chain = `${said}, ${chain}`;
    if (!trusts(said)) break;
  }
  return { address, chain };
}

/** Some proxies write `192.0.2.1:5123` or `[2001:db8::1]:5123`. */
function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}
