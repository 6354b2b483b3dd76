import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash53, hashToPercent } from '../../src/lib/hash.ts';
import { admit } from '../../src/domain/traffic/admission.ts';
import type { AdmittedService } from '../../src/domain/traffic/admission.ts';
import { edgeServiceSchema } from '../../src/domain/traffic/protocol.ts';
import { buildRouteTable, matchRoute, normaliseHost } from '../../src/domain/traffic/route-table.ts';
import { isPubliclyCacheable, readSession, sessionHash, withoutSession } from '../../src/domain/traffic/session.ts';
import { layOut, ownerOf } from '../../src/domain/traffic/split.ts';

const sessions = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));

const split = (weight: number) => ({
  releases: [
    { release: 'api@1', weight: 100 - weight, instances: [], health: null, static: null },
    { release: 'api@2', weight, instances: [], health: null, static: null },
  ],
  split: null,
});

describe('sessions and weights', () => {
  test('the hash is what it always was', () => {
    // Changing it would move every session of every running rollout.
    expect([hash53(''), hash53('unit\nAAAAAAAAAAAAAAAAAAAAAA'), hash53('naïve')]).toMatchInlineSnapshot(`
      [
        5083003680491526,
        7908242608518316,
        5516222629740240,
      ]
    `);
  });

  test('sessions are spread evenly, whichever unit they are hashed with', () => {
    for (const unit of ['r1', 'production/r-2026', '']) {
      const buckets = Array.from({ length: 50 }, () => 0);
      const n = 50_000;
      for (let i = 0; i < n; i++) {
        const at = Math.floor(hashToPercent(sessionHash(`session-${i}`, unit)) / 2);
        buckets[at] = (buckets[at] ?? 0) + 1;
      }
      const chiSquare = buckets.reduce((sum, count) => sum + (count - n / 50) ** 2 / (n / 50), 0);
      expect(chiSquare).toBeLessThan(100); // 49 degrees of freedom: p < 1e-5 beyond 100
    }
  });

  test('raising a weight moves sessions to the canary only, lowering it exactly those back', () => {
    fc.assert(
      fc.property(
        sessions,
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (session, a, b) => {
          const [low, high] = a < b ? [a, b] : [b, a];
          const hash = sessionHash(session, 'unit');
          const at = (weight: number) => ownerOf(layOut(split(weight)), hash);
          const position = hashToPercent(hash);
          expect(at(low)).toBe(position < low ? 'api@2' : 'api@1');
          if (at(low) === 'api@2') expect(at(high)).toBe('api@2');
          expect(at(low) !== at(high)).toBe(position >= low && position < high);
        },
      ),
    );
  });

  test('every session has an owner while any release has a weight, however odd the fractions', () => {
    fc.assert(
      fc.property(
        sessions,
        fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
        (session, parts) => {
          const sum = parts.reduce((a, b) => a + b, 0);
          const releases = parts.map((part, i) => ({
            release: `api@${i}`,
            weight: (part / sum) * 100,
            instances: [],
            health: null,
            static: null,
          }));
          expect(ownerOf(layOut({ releases, split: null }), sessionHash(session, 'u'))).not.toBeNull();
        },
      ),
    );
  });

  test('the canary is first even when it is the older release', () => {
    const rollback = { ...split(30), split: { rollout: 'r', canary: 'api@1', baseline: 'api@2', slow: null } };
    expect(layOut(rollback)).toEqual([
      { release: 'api@1', from: 0, to: 70 },
      { release: 'api@2', from: 70, to: 100 },
    ]);
  });
});

describe('the session cookie', () => {
  test('is found among others and taken out without touching them', () => {
    const other = fc.stringMatching(/^[a-z_]{1,8}=[A-Za-z0-9%."]{0,10}$/);
    fc.assert(
      fc.property(
        sessions,
        fc.array(other, { maxLength: 3 }),
        fc.array(other, { maxLength: 3 }),
        (session, before, after) => {
          const header = [...before, `__evenkeel=${session}`, ...after].join('; ');
          expect(readSession(header)).toBe(session);
          expect(withoutSession(header)).toBe(
            before.length + after.length === 0 ? null : [...before, ...after].join('; '),
          );
        },
      ),
    );
  });

  test.each([
    undefined,
    '',
    '__evenkeel=',
    '__evenkeel=short',
    '__evenkeel=AAAAAAAAAAAAAAAAAAAAAAA',
    'x__evenkeel=AAAAAAAAAAAAAAAAAAAAAA',
    '__evenkeel2=AAAAAAAAAAAAAAAAAAAAAA',
    '__evenkeel=AAAAAAAAAAAAAAAAAAAA/A',
    '__evenkeel=AAAAAAAAAAAAAAAAAAAAAB',
  ])('is not read from %j', (header) => expect(readSession(header)).toBeNull());

  test('is never put on what others may keep', () => {
    for (const value of ['public', 'public, max-age=60', 's-maxage=5', 'S-MaxAge=5, must-revalidate'])
      expect(isPubliclyCacheable(value)).toBe(true);
    for (const value of [undefined, '', 'no-cache', 'max-age=60', 'private, max-age=60', 'no-store'])
      expect(isPubliclyCacheable(value)).toBe(false);
  });
});

describe('routes', () => {
  const table = buildRouteTable(
    [
      [null, '/', 'any'],
      [null, '/api/', 'any api'],
      ['a.example', '/', 'a'],
      ['a.example', '/api/v2', 'a v2'],
    ].map(([host = null, path = '', target = '']) => ({ host, path: String(path), target: String(target) })),
  );
  test.each([
    ['a.example', '/', 'a'],
    ['A.Example.:443', '/x', 'a'],
    ['a.example', '/api/v2', 'a v2'],
    ['a.example', '/api/v2/x', 'a v2'],
    ['a.example', '/api/v20', 'a'],
    ['b.example', '/api', 'any api'],
    ['b.example', '/apis', 'any'],
    [undefined, '/api/x', 'any api'],
  ])('%s%s goes to %s', (host, path, target) => expect(matchRoute(table, host, path)).toBe(target));

  test('an IPv6 address is a host too', () => expect(normaliseHost('[::1]:8080')).toBe('[::1]'));
});

describe('admission', () => {
  const service = (name: string, changes: object = {}) =>
    edgeServiceSchema.parse({
      project: 'p',
      environment: 'e',
      service: name,
      unit: 'u',
      routes: [],
      internalPort: null,
      preview: null,
      releases: [{ release: `${name}@1`, weight: 100, instances: [], health: null, static: null }],
      split: null,
      whenEmpty: 'hold',
      timeoutMs: 1,
      drainMs: 1,
      health: { path: null, graceMs: 1, intervalMs: 1, timeoutMs: 1 },
      ...changes,
    });

  test('the highest fence is never lowered, by any sequence of commands, whichever services they are about', () => {
    const command = fc.record({
      fence: fc.nat(5),
      set: fc.subarray(['a', 'b', 'c']),
      remove: fc.subarray(['a', 'b', 'c']),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let table: ReadonlyMap<string, AdmittedService> = new Map();
        for (const { fence, set, remove } of commands) {
          const highest = Math.max(-1, ...[...table.values()].map((each) => each.fence));
          const answer = admit(table, {
            fence,
            services: set.map((name) => service(name)),
            remove: remove.map((name) => `p/e/${name}`),
          });
          expect(answer.refused?.reason ?? null).toBe(highest > fence ? 'fence' : null);
          if (answer.table === null) continue;
          for (const [key, before] of table) expect(answer.table.get(key)?.fence).toBeGreaterThanOrEqual(before.fence);
          table = answer.table;
        }
      }),
    );
  });

  test.each([
    [
      'the same route',
      [
        service('a', { routes: [{ port: 80, host: 'X.example', path: '/' }] }),
        service('b', { routes: [{ port: 80, host: 'x.example', path: '' }] }),
      ],
    ],
    [
      'a route and an internal port',
      [service('a', { routes: [{ port: 80, host: null, path: '/' }] }), service('b', { internalPort: 80 })],
    ],
    ['two internal ports', [service('a', { internalPort: 80 }), service('b', { internalPort: 80 })]],
  ])('two services cannot have %s', (_what, services) => {
    expect(admit(new Map(), { fence: 1, services, remove: [] }).refused?.reason).toBe('conflict');
  });
});
