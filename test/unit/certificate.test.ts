import { describe, expect, test } from 'vitest';
import { DIRECTORIES, hostRefusal, hostsOf } from '../../src/domain/certificate/acme.ts';
import { chooseChallenge } from '../../src/domain/certificate/challenge.ts';
import { describeCertificate } from '../../src/domain/certificate/describe.ts';
import { certificateFindings } from '../../src/domain/doctor/certificates.ts';
import type { GivenCertificate, TlsFacts } from '../../src/domain/doctor/facts.ts';
import { refused, retryAfterOf } from '../../src/drivers/certificates/acme/failure.ts';

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
const BOTH = ['http-01', 'dns-01', 'tls-alpn-01'];

describe('the challenge', () => {
  const choose = (over: Partial<Parameters<typeof chooseChallenge>[0]>) =>
    chooseChallenge({ offered: BOTH, wanted: null, plainPort: 8080, tlsPort: 8443, failed: null, ...over });

  test('is the one whose port the edge has itself, else by HTTP', () => {
    expect(choose({ plainPort: 80 })).toEqual({ type: 'http-01', reason: 'the edge is at port 80 itself' });
    expect(choose({ tlsPort: 443 })).toEqual({ type: 'tls-alpn-01', reason: 'the edge is at port 443 itself' });
    expect(choose({ plainPort: 80, tlsPort: 443 }).type).toBe('http-01');
    expect(choose({})).toEqual({ type: 'http-01', reason: 'port 80 of the host must lead to port 8080 here' });
  });

  test('is the other one after a failure, unless evenkeel.yaml says which', () => {
    expect(choose({ failed: 'http-01' })).toMatchObject({
      type: 'tls-alpn-01',
      reason: expect.stringContaining('http-01 has just failed'),
    });
    expect(choose({ failed: 'tls-alpn-01' }).type).toBe('http-01');
    expect(choose({ failed: 'http-01', wanted: 'http-01' }).type).toBe('http-01');
    expect(choose({ failed: 'http-01', tlsPort: null }).type).toBe('http-01');
  });

  test('is only one that is offered and can be answered, or none, with the reason', () => {
    expect(choose({ offered: ['tls-alpn-01'] }).type).toBe('tls-alpn-01');
    expect(choose({ plainPort: null }).type).toBe('tls-alpn-01');
    expect(choose({ plainPort: null, tlsPort: null })).toEqual({
      type: null,
      reason: 'the edge serves the host neither in plain nor over TLS',
    });
    expect(choose({ offered: ['dns-01'] })).toEqual({
      type: null,
      reason: 'the issuer offers dns-01, and evenkeel answers http-01 and tls-alpn-01',
    });
    expect(choose({ wanted: 'tls-alpn-01', tlsPort: null })).toEqual({
      type: null,
      reason: 'the edge has no port open for tls-alpn-01',
    });
  });
});

test('hosts that no public issuer vouches for are refused, each with the reason, and allowed elsewhere', () => {
  const inner = ['localhost', 'chat.local', 'nas.lan', 'a.internal', 'b.example', '192.0.2.1'];
  expect(inner.filter((host) => hostRefusal(host, DIRECTORIES.letsencrypt) === null)).toEqual([]);
  expect(inner.filter((host) => hostRefusal(host, 'https://ca.lan/acme/directory') !== null)).toEqual([]);
  expect(hostRefusal('chat.example.com', DIRECTORIES.staging)).toBe(null);
  expect(hostRefusal('*.chat.org', 'https://ca.lan/acme')).toContain('wildcard');
  const services = [
    { routes: [{ host: 'a.org' }, { host: null }] },
    { routes: [{ host: 'a.org' }, { host: 'b.org' }] },
  ];
  expect(hostsOf(services)).toEqual(['a.org', 'b.org']);
});

test('what is said of a certificate names the host, why, and when it goes on', () => {
  const words = (over: Partial<Parameters<typeof describeCertificate>[0]>) =>
    describeCertificate({
      host: 'a.org',
      installed: null,
      failures: 0,
      lastFailure: null,
      ordering: false,
      reason: 'REASON',
      wakeAt: NOW + 60_000,
      now: NOW,
      ...over,
    });
  expect(words({})).toMatchObject({ state: 'waiting', detail: 'no certificate for a.org yet: REASON' });
  expect(words({ ordering: true })).toMatchObject({ state: 'ordering' });
  expect(words({ installed: { notAfter: NOW + DAY } })).toMatchObject({ state: 'valid' });
  const lastFailure = { why: 'no route', next: 'open port 80' };
  expect(words({ failures: 2, lastFailure })).toEqual({
    state: 'failing',
    detail: 'there is no certificate for a.org yet (2 tries failed): no route; it is tried again in 1m',
    next: 'open port 80',
  });
  expect(words({ failures: 1, lastFailure, installed: { notAfter: NOW + 9 * DAY }, ordering: true }).detail).toBe(
    'the certificate for a.org could not be renewed yet and ends in 9 days (1 try failed): no route; it is tried again now',
  );
});

test('what an issuer says is one line with what to do, and when it wants to be asked again', () => {
  const problem = {
    type: 'urn:ietf:params:acme:error:connection',
    detail: 'no\r\n\u001B[31m answer',
    subproblems: [{ detail: 'x'.repeat(900) }],
  };
  const error = refused(problem, { host: 'a.org', challenge: 'tls-alpn-01', step: 'to believe tls-alpn-01' });
  expect(error.why).toMatch(/^no \[31m answer; x+$/);
  expect(error.why?.length).toBeLessThanOrEqual(400);
  expect(error.next).toContain('port 443');
  expect(error.problem).toBe('connection');
  expect(retryAfterOf({ 'retry-after': '120' }, NOW)).toBe(NOW + 120_000);
  expect(retryAfterOf({ 'retry-after': 'Fri, 15 Jan 2027 08:00:30 GMT' }, NOW)).toBe(
    Date.parse('2027-01-15T08:00:30Z'),
  );
  expect(retryAfterOf({ 'retry-after': 'soon' }, NOW)).toBe(null);
  expect(retryAfterOf({}, NOW)).toBe(null);
});

describe('doctor', () => {
  const given = (over: Partial<GivenCertificate> = {}): GivenCertificate => ({
    cert: '/a.crt',
    key: '/a.key',
    names: ['a.org'],
    notBefore: NOW - DAY,
    notAfter: NOW + 60 * DAY,
    error: null,
    chain: 'whole',
    exposed: false,
    ...over,
  });
  const findings = (over: Partial<TlsFacts>) =>
    certificateFindings(
      { hosts: ['a.org'], given: [], issued: [], issuerFile: null, ...over },
      ' --env production',
      NOW,
    ).map(({ level, what, next }) => `${level}: ${what}${next === null ? '' : ` -> ${next}`}`);

  test('says what is wrong with certificates that are given, and how to mend it', () => {
    expect(certificateFindings(null, '', NOW)).toEqual([]);
    expect(findings({ given: [given()] })).toEqual(['ok: the certificate for a.org lasts 60 days']);
    expect(findings({ given: [given({ notAfter: NOW + 5 * DAY })] })[0]).toMatch(/^warning: .*expires in 5 days -> /);
    expect(findings({ given: [given({ notAfter: NOW - DAY })] })[0]).toMatch(/^problem: .*has expired -> .*Renew it/);
    expect(findings({ given: [given({ notBefore: NOW + DAY })] })[0]).toMatch(
      /^problem: .*not valid yet -> look at the clock/,
    );
    expect(
      findings({ given: [given({ error: 'there is no file /a.crt; put it there', notAfter: null, names: [] })] }),
    ).toEqual(['problem: there is no file /a.crt -> put it there']);
    expect(findings({ given: [given()], hosts: ['a.org', 'b.org'] })[1]).toMatch(
      /^problem: no certificate is for b.org.* -> /,
    );
    expect(findings({ given: [given({ chain: 'alone' })] })[1]).toMatch(
      /^warning: .*alone.* -> put the certificate of its issuer/,
    );
    expect(findings({ given: [given({ chain: 'broken' })] })[1]).toMatch(
      /^problem: .*not signed by the second -> put them in order/,
    );
    expect(findings({ given: [given({ exposed: true })] })[1]).toBe(
      'warning: other users may read /a.key -> chmod 600 /a.key',
    );
  });

  test('says how it stands with those that evenkeel gets', () => {
    const installed = { notBefore: NOW - DAY, notAfter: NOW + 20 * DAY };
    const lastFailure = { why: 'no route', next: 'open port 80' };
    const issued = (over: object) =>
      findings({ issued: [{ host: 'a.org', installed: null, lastFailure: null, ...over }] });
    expect(issued({ installed })).toEqual(['ok: the certificate for a.org lasts 20 days and is renewed by itself']);
    expect(issued({})).toEqual([
      'warning: there is no certificate for a.org yet -> evenkeel up --env production: it is got by itself while the server runs',
    ]);
    expect(issued({ lastFailure })).toEqual([
      'problem: there is no certificate for a.org yet: no route -> open port 80',
    ]);
    expect(issued({ installed, lastFailure })[0]).toMatch(
      /^warning: .*20 days and could not be renewed: no route -> open/,
    );
    expect(issued({ installed: { ...installed, notAfter: NOW - 1 }, lastFailure })[0]).toMatch(
      /^problem: .*has expired: no route/,
    );
    expect(findings({ issuerFile: { path: '/ca.pem', code: 'EACCES' } })[0]).toMatch(/^problem: \/ca.pem.*EACCES/);
  });
});
