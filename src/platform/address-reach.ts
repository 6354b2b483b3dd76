import { BlockList, isIP, isIPv6 } from 'node:net';

/** From where an address is reached; `none`: nothing that is meant to be asked over HTTP has one like it. */
export type Reach = 'public' | 'private' | 'loopback' | 'none';

const LOOPBACK = listOf([['127.0.0.0', 8]], [['::1', 128]]);

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and the same of IPv6. */
const PRIVATE = listOf(
  [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ],
  [
    ['fc00::', 7],
    ['fec0::', 10],
    ['64:ff9b:1::', 48],
  ],
);

/** This host, link-local (where clouds answer with credentials), documentation, multicast, reserved; Teredo. */
const NONE = listOf(
  [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.2.0', 24],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  [
    ['::', 128],
    ['100::', 64],
    ['2001::', 32],
    ['2001:db8::', 32],
    ['fe80::', 10],
    ['ff00::', 8],
  ],
);

const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0].join(':');

/** Of an address as a resolver gives it, in any spelling; `none` for what is no address. */
export function reachOf(address: string): Reach {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(plain) === 0) return 'none';
  const inner = isIPv6(plain) ? embeddedIn(plain) : null;
  if (inner !== null) return reachOf(inner);
  const kind = isIPv6(plain) ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(plain, kind)) return 'loopback';
  if (NONE.check(plain, kind)) return 'none';
  return PRIVATE.check(plain, kind) ? 'private' : 'public';
}

/** The IPv4 address that is reached by an IPv6 one: mapped, compatible, NAT64 and 6to4. */
function embeddedIn(address: string): string | null {
  const words = wordsOf(address);
  const [high = 0, low = 0] = words.slice(6);
  const head = words.slice(0, 6).join(':');
  if (head === '0:0:0:0:0:65535' || head === NAT64) return dotted(high, low);
  // `::1` and `::` are themselves.
  if (head === '0:0:0:0:0:0' && high !== 0) return dotted(high, low);
  return words[0] === 0x2002 ? dotted(words[1] ?? 0, words[2] ?? 0) : null;
}

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** The eight numbers of an IPv6 address, as the URL standard writes them. */
function wordsOf(address: string): number[] {
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...(after === undefined ? [] : zeros), ...tail].map((word) => Number.parseInt(word, 16));
}

function listOf(ipv4: readonly [string, number][], ipv6: readonly [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ipv4) list.addSubnet(address, bits, 'ipv4');
  for (const [address, bits] of ipv6) list.addSubnet(address, bits, 'ipv6');
  return list;
}
