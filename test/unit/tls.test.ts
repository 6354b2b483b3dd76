import { describe, expect, test } from 'vitest';
import { certificateConcerns, covers, daysLeft, hstsHeader } from '../../src/domain/traffic/tls.ts';
import type { CertificateSeen } from '../../src/domain/traffic/tls.ts';

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;

const seen = (over: Partial<CertificateSeen> = {}): CertificateSeen => ({
  cert: '/tls/a.crt',
  names: ['a.example', '*.b.example'],
  notBefore: NOW - DAY,
  notAfter: NOW + 60 * DAY,
  error: null,
  ...over,
});

describe('certificates', () => {
  test('are for a host by its name, or by a star in the place of one label', () => {
    const { names } = seen();
    expect(['a.example', 'A.Example', 'x.b.example'].map((host) => covers(names, host))).toEqual([true, true, true]);
    const others = ['b.example', 'x.y.b.example', 'x.a.example', 'example', ''];
    expect(others.filter((host) => covers(names, host))).toEqual([]);
  });

  test('are spoken of when they expire soon, have expired, are for nobody who asks, or cannot be used', () => {
    const about = (over: Partial<CertificateSeen>, hosts: string[] = []) =>
      certificateConcerns([seen(over)], hosts, NOW);
    expect(about({}, ['a.example', 'x.b.example'])).toEqual([]);
    expect(about({ notAfter: NOW + 13 * DAY })[0]).toMatch(/expires in 13 days/);
    expect(about({ notAfter: NOW + DAY / 2 })[0]).toMatch(/expires in less than a day/);
    expect(about({ notAfter: NOW - 1 })[0]).toMatch(/has expired/);
    expect(about({ notBefore: NOW + 1 })[0]).toMatch(/not valid yet/);
    expect(about({}, ['c.example'])).toEqual([expect.stringContaining('no certificate is for c.example')]);
    expect(about({ error: 'it is broken' })).toEqual(['it is broken; the one from before is still in use']);
    // What cannot be read says nothing about hosts.
    expect(about({ error: 'gone', names: [], notAfter: null, notBefore: null }, ['c.example'])).toEqual(['gone']);
    expect(daysLeft(NOW - 1, NOW)).toBe(-1);
  });

  test('HSTS takes subdomains in only where that was asked for', () => {
    expect([hstsHeader('off'), hstsHeader('on'), hstsHeader('preload')]).toEqual([
      null,
      'max-age=31536000',
      'max-age=31536000; includeSubDomains; preload',
    ]);
  });
});
