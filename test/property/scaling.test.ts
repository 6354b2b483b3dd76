import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideScale, type LoadSample } from '../../src/domain/scaling/decide-scale.ts';
import { type Bounds, basisOf, boundsOf, sizeOf } from '../../src/domain/scaling/scale.ts';

const second = 1000;
const START = 1_700_000_000_000;
const targets = { concurrency: 10, cpu: 0.7, cooldownMs: 60 * second };

interface Moment {
  at: number;
  instances: number;
  reason: string;
}

/** A service as it would be over time: one look a second, at a load that may depend on how many instances there are. */
function play(
  bounds: Bounds,
  load: (at: number, instances: number) => Omit<LoadSample, 'at'>,
  options: { seconds: number; begin?: number; mayShrink?: (at: number) => boolean; restarts?: (at: number) => boolean },
): Moment[] {
  const { seconds, begin = bounds.min, mayShrink = () => true, restarts = () => false } = options;
  let samples: LoadSample[] = [];
  let now = { instances: begin, changedAt: START - 3_600_000 };
  const moments: Moment[] = [];
  for (let at = START; at < START + seconds * second; at += second) {
    if (restarts(at)) samples = [];
    samples = [...samples, { at, ...load(at, now.instances) }].filter((each) => at - each.at <= 65 * second);
    const decision = decideScale({ ...now, at }, bounds, targets, samples, { coresEach: 1, mayShrink: mayShrink(at) });
    if (decision.instances !== now.instances) {
      now = { instances: decision.instances, changedAt: at };
      moments.push({ at, ...decision });
    }
  }
  return moments;
}

const someBounds: fc.Arbitrary<Bounds> = fc
  .record({ min: fc.integer({ min: 1, max: 10 }), more: fc.integer({ min: 0, max: 30 }) })
  .map(({ min, more }) => ({ min, max: min + more }));

describe('a service that follows its load', () => {
  it('comes to rest under a constant load, and never moves back and forth', () => {
    const loads = fc.record({
      inFlight: fc.double({ min: 0, max: 400, noNaN: true }),
      cores: fc.double({ min: 0, max: 20, noNaN: true }),
    });
    fc.assert(
      fc.property(someBounds, loads, fc.nat(40), (bounds, load, begin) => {
        const first = Math.min(bounds.max, Math.max(bounds.min, begin));
        const moments = play(bounds, () => load, { seconds: 1_200, begin: first });
        const sizes = [first, ...moments.map(({ instances }) => instances)];
        const rising = sizes.every((each, index) => index === 0 || each > (sizes[index - 1] ?? 0));
        const falling = sizes.every((each, index) => index === 0 || each < (sizes[index - 1] ?? 0));
        expect(rising || falling, JSON.stringify(sizes)).toBe(true);
        const need = Math.max(Math.ceil(load.inFlight / 10 - 1e-9), Math.ceil(load.cores / 0.7 - 1e-9), 1);
        if (rising) expect(sizes.at(-1)).toBeGreaterThanOrEqual(Math.min(need, bounds.max));
      }),
      { numRuns: 60 },
    );
  });

  it('stays within its bounds, grows to twice as many at most, shrinks by one and after its cool-down', () => {
    const loads = fc.array(fc.record({ inFlight: fc.nat(500), cores: fc.option(fc.nat(30)) }), {
      minLength: 5,
      maxLength: 40,
    });
    const rollout = fc.record({ from: fc.nat(300), for: fc.nat(200) });
    fc.assert(
      fc.property(someBounds, loads, rollout, fc.nat(400), (bounds, all, judged, restart) => {
        const calm = (at: number): boolean => {
          const since = (at - START) / second;
          return since < judged.from || since >= judged.from + judged.for;
        };
        const moments = play(
          bounds,
          (at) => all[Math.floor((at - START) / (10 * second)) % all.length] ?? { inFlight: 0, cores: null },
          {
            seconds: 500,
            mayShrink: calm,
            restarts: (at) => (at - START) / second === restart,
          },
        );
        let before = { instances: bounds.min, at: START - 3_600_000 };
        for (const each of moments) {
          expect(each.reason).not.toBe('');
          expect(each.instances).toBeGreaterThanOrEqual(bounds.min);
          expect(each.instances).toBeLessThanOrEqual(bounds.max);
          expect(each.instances).toBeLessThanOrEqual(before.instances * 2);
          if (each.instances < before.instances) {
            expect(each.instances).toBe(before.instances - 1);
            expect(each.at - before.at).toBeGreaterThanOrEqual(targets.cooldownMs);
            expect(calm(each.at)).toBe(true);
            expect(
              (each.at - START) / second - restart < 0 || each.at - START - restart * second >= targets.cooldownMs,
            ).toBe(true);
          }
          before = each;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('grows within seconds and shrinks again, one by one, when the load is over', () => {
    const busy = (at: number): boolean => at < START + 60 * second;
    const moments = play({ min: 1, max: 8 }, (at) => ({ inFlight: busy(at) ? 55 : 0, cores: null }), { seconds: 600 });
    const up = moments.filter(({ at }) => busy(at));
    expect(up.map(({ instances }) => instances)).toEqual([2, 4, 6]);
    expect((up[0]?.at ?? 0) - START).toBeLessThanOrEqual(6 * second);
    expect(up[0]?.reason).toBe('55.0 requests in progress, 10 for each instance');
    const down = moments.filter(({ at }) => !busy(at));
    expect(down.map(({ instances }) => instances)).toEqual([5, 4, 3, 2, 1]);
    expect(down[0]?.reason).toMatch(/^1 has been enough for a while/);
  });

  it('takes nothing away while a rollout is under way, however long that takes', () => {
    const calm = START + 400 * second;
    const moments = play({ min: 1, max: 8 }, () => ({ inFlight: 0, cores: 0 }), {
      seconds: 600,
      begin: 3,
      mayShrink: (at) => at >= calm,
    });
    expect(moments.map(({ at, instances }) => [at >= calm, instances])).toEqual([
      [true, 2],
      [true, 1],
    ]);
  });

  it('does not grow for one look, nor shrink for a quiet minute between two peaks', () => {
    const spike = play({ min: 1, max: 8 }, (at) => ({ inFlight: at === START + 60 * second ? 40 : 4, cores: null }), {
      seconds: 120,
    });
    expect(spike).toEqual([]);
    const waves = play(
      { min: 1, max: 8 },
      (at) => ({ inFlight: (at - START) % (50 * second) < 10 * second ? 35 : 0, cores: null }),
      {
        seconds: 600,
      },
    );
    expect(waves.map(({ instances }) => instances)).toEqual([2, 3, 4]);
  });

  it('is asked for as many as there ought to be at once, but not for fewer while a rollout is under way', () => {
    const decide = (instances: number, bounds: Bounds, mayShrink: boolean) =>
      decideScale({ instances, changedAt: START, at: START }, bounds, targets, [], { coresEach: 1, mayShrink })
        .instances;
    expect(decide(1, { min: 3, max: 5 }, false)).toBe(3);
    expect(decide(9, { min: 3, max: 5 }, true)).toBe(5);
    expect(decide(9, { min: 3, max: 5 }, false)).toBe(9);
  });
});

describe('what somebody set by hand', () => {
  it('holds until the file says something else of the instances', () => {
    const file = { instances: 2 };
    const override = { min: 4, max: 6, by: 'ann', basis: basisOf(file) };
    expect(boundsOf(file, override)).toEqual({ min: 4, max: 6 });
    expect(boundsOf({ instances: 3 }, override)).toEqual({ min: 3, max: 3 });
    const scale = { service: 'api', instances: 5, changedAt: START, override };
    expect(sizeOf(file, scale)).toBe(5);
    expect(sizeOf({ instances: 3 }, scale)).toBe(3);
    expect(sizeOf(file, null)).toBe(2);
  });
});
