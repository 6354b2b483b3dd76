import { BlockList } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressList, clientKey, clientOf, parseAddress, parseNetwork } from '../../src/domain/traffic/address.ts';
import { takeToken } from '../../src/domain/traffic/rate.ts';
import type { Rate } from '../../src/domain/traffic/rate.ts';
import { looseReading } from '../../src/domain/traffic/readings.ts';
import { redactQuery } from '../../src/domain/traffic/redact-query.ts';
import { traceIdOf, traceparent } from '../../src/domain/traffic/trace.ts';

const v4 = fc.ipV4();
const v6 = fc.ipV6();

describe('addresses', () => {
  test('are found in networks as the system finds them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.tuple(v4, fc.nat(32)), fc.tuple(v6, fc.nat(128))), { maxLength: 4 }),
        fc.oneof(v4, v6),
        (networks, asked) => {
          const list = new BlockList();
          // The system's own finds IPv4 in networks of IPv6, which nobody who writes `::/0` means.
          const alike = networks.filter(([address]) => address.includes(':') === asked.includes(':'));
          for (const [address, bits] of alike) list.addSubnet(address, bits, address.includes(':') ? 'ipv6' : 'ipv4');
          const found = addressList(networks.map(([address, bits]) => `${address}/${bits}`))(asked);
          fc.pre(parseAddress(asked)?.v4 === !asked.includes(':'));
          expect(found).toBe(list.check(asked, asked.includes(':') ? 'ipv6' : 'ipv4'));
        },
      ),
    );
  });

  test('of IPv4 are the same when they are mapped into IPv6, in all spellings', () => {
    fc.assert(
      fc.property(v4, fc.nat(32), (address, bits) => {
        const list = addressList([`${address}/${bits}`]);
        const mapped = [`::ffff:${address}`, `::FFFF:${address}`, `0:0:0:0:0:ffff:${address}`];
        for (const each of [address, ...mapped]) expect(list(each)).toBe(true);
        expect(addressList([`::ffff:${address}/${96 + bits}`])(address)).toBe(true);
        expect(new Set([address, ...mapped].map(clientKey)).size).toBe(1);
      }),
    );
  });

  test('that are none are in no list, and IPv4 is in no network of IPv6', () => {
    for (const text of [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '1.2.3.4.5',
      '::1::',
      ':1',
      '1:2:3:4:5:6:7:8:9',
    ])
      expect([text, parseAddress(text), addressList(['0.0.0.0/0', '::/0'])(text)]).toEqual([text, null, false]);
    for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::/129', 'x/8', '1.2.3.4/8/8', 'fe80::1%eth0'])
      expect([text, parseNetwork(text)]).toEqual([text, null]);
    expect(addressList(['::/0'])('10.0.0.1')).toBe(false);
    expect(addressList(['fe80::/10'])('fe80::1%eth0')).toBe(true);
  });

  test('of one home of IPv6 are one client', () => {
    expect(clientKey('2001:db8:1:2::1')).toBe(clientKey('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(clientKey('2001:db8:1:2::1')).not.toBe(clientKey('2001:db8:1:3::1'));
  });

  test('whatever a client claims, it is the right-most one that is not trusted', () => {
    const trusts = addressList(['10.0.0.0/8']);
    const proxies = fc.array(
      fc.nat(255).map((last) => `10.0.0.${last}`),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(v4, v6, fc.string()), { maxLength: 4 }), v4, proxies, (claims, client, way) => {
        fc.pre(!trusts(client));
        const header = [...claims.map((claim) => claim.replaceAll(',', '')), client, ...way].join(', ');
        const found = clientOf('10.9.9.9', header, trusts);
        expect(found).toEqual({ address: client, chain: [client, ...way, '10.9.9.9'].join(', ') });
        // Nobody is asked what it says who is not trusted.
        expect(clientOf(client, header, trusts)).toEqual({ address: client, chain: client });
      }),
    );
    expect(clientOf('10.0.0.1', '192.0.2.1:5123', trusts).address).toBe('192.0.2.1');
    expect(clientOf('10.0.0.1', '[2001:db8::1]:443', trusts).address).toBe('2001:db8::1');
    expect(clientOf('10.0.0.1', 'unknown', trusts).address).toBe('10.0.0.1');
  });
});

const rates: fc.Arbitrary<Rate> = fc.record({
  requests: fc.integer({ min: 1, max: 100 }),
  perMs: fc.integer({ min: 1, max: 60_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
});

describe('a limit of requests', () => {
  test('lets through a burst and what the rate adds, and no more', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.nat(5_000), { minLength: 1, maxLength: 200 }), (rate, gaps) => {
        let now = 0;
        let fullAt: number | undefined;
        let allowed = 0;
        for (const gap of gaps) {
          now += gap;
          const taken = takeToken(rate, fullAt, now);
          if (taken.allowed) {
            allowed++;
            fullAt = taken.fullAt;
          } else expect(taken.retryAfterMs).toBeGreaterThan(0);
          expect(allowed).toBeLessThanOrEqual(rate.burst + (now * rate.requests) / rate.perMs + 1e-3);
        }
      }),
    );
  });

  test('refuses nobody who keeps to it, nor who comes back when told', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 200 }), (rate, count) => {
        const every = rate.perMs / rate.requests;
        let fullAt: number | undefined;
        for (let i = 0; i < count; i++) {
          const taken = takeToken(rate, fullAt, i * every);
          if (!taken.allowed) throw new Error(`refused at ${i}`);
          fullAt = taken.fullAt;
        }
        let refused = takeToken(rate, fullAt, 0);
        while (refused.allowed) refused = takeToken(rate, (fullAt = refused.fullAt), 0);
        expect(takeToken(rate, fullAt, refused.retryAfterMs).allowed).toBe(true);
        expect(takeToken(rate, fullAt, refused.retryAfterMs * 0.99 - 0.01).allowed).toBe(false);
      }),
    );
  });
});

describe('the reading of paths', () => {
  test('sees through what services see through', () => {
    const way = ['/admin', '/ADMIN', '//admin', '/./admin', '/x/../admin', '/%61dmin', '/%2561dmin', '/x/%2e%2e/admin'];
    const odd = [
      '\\admin',
      '/admin;v=1',
      '/x%2f..%2fadmin',
      '/admin%00',
      '/admin/',
      '/../admin',
      '/admin%3fx',
      '/;/admin',
    ];
    for (const path of [...way, ...odd]) expect([path, looseReading(path)]).toEqual([path, '/admin']);
  });

  test('is its own reading, always below the root, and never anything but a path', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const read = looseReading(path);
        expect(read.startsWith('/')).toBe(true);
        expect(read.split('/')).not.toContain('..');
        expect(read).not.toContain('//');
      }),
    );
  });
});

describe('traces', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });
  test('are known by their id, and made so that they are known again', () => {
    fc.assert(
      fc.property(hex(32), hex(16), (trace, span) => {
        fc.pre(!/^0+$/.test(trace) && !/^0+$/.test(span));
        expect(traceIdOf(traceparent(trace, span))).toBe(trace);
        expect(traceIdOf(`cc-${trace}-${span}-01-what-comes`)).toBe(trace);
      }),
    );
  });

  test('that break the rules are none', () => {
    const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const wrong = [
      `ff-${trace}-${span}-01`,
      `00-${trace}-${span}-01-more`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace}-${span}-1`,
      `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
      `cc-${trace}-${span}-01-${'x'.repeat(600)}`,
      '',
    ];
    for (const each of wrong) expect([each, traceIdOf(each)]).toEqual([each, null]);
    fc.assert(fc.property(fc.string(), (text) => traceIdOf(text) === null));
  });
});

test('a query keeps no value whose name looks private', () => {
  expect(redactQuery('page=2&token=abc&api%5Fkey=x&Session=1&bare&q=a=b')).toBe(
    'page=2&token=[redacted]&api%5Fkey=[redacted]&Session=[redacted]&[redacted]&q=a=b',
  );
  expect(redactQuery('a=1&%74oken=abc')).toBe('a=1&%74oken=[redacted]');
});
