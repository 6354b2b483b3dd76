import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketAt, gridOf, KEPT_MS, SAMPLE_MS, timesOf } from '../../src/domain/overview/grid.ts';
import { figuresOf, totalsOf } from '../../src/domain/overview/traffic.ts';
import { worstOf, STATES } from '../../src/domain/overview/state.ts';
import { createHistogram, quantile, record, toCounts } from '../../src/lib/histogram.ts';
import { configChanges, noChanges } from '../../src/domain/release/config-changes.ts';
import type { EnvPart } from '../../src/domain/project/project.ts';
import { service } from '../support/engine/world.ts';

const NOW = 1_700_000_000_000;
const times = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { maxLength: 60 });

function intervalOf(values: readonly number[], bad = 0) {
  const histogram = createHistogram();
  for (const value of values) record(histogram, value);
  return { requests: values.length, bad, ttfb: toCounts(histogram) };
}

describe('figures of requests', () => {
  it('are the same however the requests were split over time and services', () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 8 }), (parts) => {
        const whole = figuresOf(totalsOf([intervalOf(parts.flat())]));
        expect(figuresOf(totalsOf(parts.map((part) => intervalOf(part))))).toEqual(whole);
        const sorted = parts.flat().toSorted((a, b) => a - b);
        if (sorted.length === 0) {
          expect(whole).toMatchObject({ errorRate: null, averageMs: null, p95Ms: null });
          return;
        }
        const histogram = createHistogram();
        for (const value of sorted) record(histogram, value);
        // Four digits are as many as a histogram knows.
        expect(whole.p95Ms).toBeCloseTo(quantile(histogram, 0.95)?.estimate ?? Number.NaN, -1);
        const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
        expect(Math.abs((whole.averageMs ?? 0) - mean)).toBeLessThanOrEqual(Math.max(0.02, mean * 0.02));
      }),
    );
  });
});

describe('a grid', () => {
  it('covers what was asked with no more pieces than allowed, of samples that are kept', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: KEPT_MS['1m'] }),
        fc.integer({ min: 0, max: KEPT_MS['1m'] }),
        fc.integer({ min: 2, max: 2000 }),
        (span, age, points) => {
          const to = NOW - age;
          const from = to - span;
          const grid = gridOf({ from, to, points, now: NOW });
          expect(grid.count).toBeLessThanOrEqual(points);
          expect(grid.from).toBeLessThanOrEqual(from);
          expect(grid.from + grid.count * grid.bucketMs).toBeGreaterThanOrEqual(to);
          expect(grid.bucketMs % SAMPLE_MS[grid.resolution]).toBe(0);
          if (grid.resolution === '10s') expect(from).toBeGreaterThan(NOW - KEPT_MS['10s']);
          expect(bucketAt(grid, from)).not.toBeNull();
          expect(bucketAt(grid, to - 1)).not.toBeNull();
          expect(bucketAt(grid, grid.from - 1)).toBeNull();
          expect(timesOf(grid)).toHaveLength(grid.count);
        },
      ),
    );
  });
});

it('the worst of several states does not depend on their order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...STATES, ...STATES]), (states) => {
      expect(worstOf(states)).toBe(worstOf(states.toReversed()));
      if (states.includes('critical')) expect(worstOf(states)).toBe('critical');
      if (worstOf(states) === 'healthy') expect(new Set(states)).toEqual(new Set(['healthy']));
    }),
  );
});

it('changes of a configuration are told by the names of keys, both ways, and never by a value', () => {
  const env = fc.dictionary(
    fc.stringMatching(/^[A-Z]{1,3}$/),
    fc.constantFrom<EnvPart[]>(['one-value'], ['two-value'], [{ secret: 'S' }]),
  );
  fc.assert(
    fc.property(env, env, fc.boolean(), (a, b, sized) => {
      const before = service('api', { env: a });
      const after = service('api', { env: b, resources: { memory: sized ? 1024 : null, cpu: null } });
      const changes = configChanges(before, after);
      const back = configChanges(after, before);
      expect(back).toEqual({ added: changes.removed, removed: changes.added, changed: changes.changed });
      expect(noChanges(configChanges(before, before))).toBe(true);
      const only = (x: object, y: object): string[] =>
        Object.keys(x)
          .filter((key) => !(key in y))
          .map((key) => `env.${key}`);
      expect(changes.added).toEqual([...only(b, a), ...(sized ? ['resources.memory'] : [])].toSorted());
      expect(changes.removed).toEqual(only(a, b).toSorted());
      expect(JSON.stringify(changes)).not.toContain('-value');
    }),
  );
  // Which value a secret has is no key of the configuration.
  const holding = (version: string) => service('api', { env: { KEY: [{ secret: 'KEY', version }] } });
  expect(noChanges(configChanges(holding('1'), holding('2')))).toBe(true);
  expect(configChanges(service('api'), service('api', { timeoutMs: 1, stopGraceMs: 2 })).changed).toEqual([
    'stopGrace',
    'timeout',
  ]);
});
