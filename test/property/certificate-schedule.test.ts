import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decideCertificate,
  DIRECTORY_ORDERS_PER_HOUR,
  HOST_ORDERS_PER_HOUR,
  renewalAt,
} from '../../src/domain/certificate/schedule.ts';
import type { CertificateFacts } from '../../src/domain/certificate/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 1_800_000_000_000;

const facts = (over: Partial<CertificateFacts> = {}): CertificateFacts => ({
  now: START,
  installed: null,
  ordered: false,
  orders: [],
  directoryOrders: [],
  issuedAt: null,
  failures: 0,
  failedAt: null,
  retryAfter: null,
  askedAt: null,
  unreachable: null,
  chance: 0.5,
  ...over,
});

/** What an issuer does with an order; `killed`: the controller does not live to see it. */
type Fate = 'issued' | 'refused' | 'limited' | 'away' | 'killed';

/** A year of one certificate, or less: what was done when, by the clock that the controller sees. */
function live({ lifetime, fates, chance, until, asks = [] }: Life) {
  const orders: number[] = [];
  const acts: { at: number; act: 'order' | 'resume'; fate: Fate }[] = [];
  let state: Omit<CertificateFacts, 'now' | 'directoryOrders'> = facts({ chance, askedAt: START });
  let now = START;
  let looks = 0;
  let uncovered = 0;
  while (now < START + until) {
    if (++looks > 20_000) throw new Error('it looks too often');
    const askedAt = Math.max(START, ...asks.filter((at) => at <= now));
    const decision = decideCertificate({ ...state, askedAt, orders, directoryOrders: orders, now });
    if (decision.act === 'wait') {
      if (decision.wakeAt <= now) throw new Error(`it wakes in the past: ${decision.reason}`);
      const next = Math.min(decision.wakeAt, ...asks.filter((at) => at > now), START + until);
      if (state.installed === null || state.installed.notAfter < next)
        uncovered += next - Math.max(now, state.installed?.notAfter ?? now);
      now = next;
      continue;
    }
    const fate = fates[acts.length] ?? 'issued';
    acts.push({ at: now, act: decision.act, fate });
    if (decision.act === 'order') orders.push(now);
    now += 5_000;
    if (fate === 'killed') state = { ...state, ordered: true };
    else if (fate === 'issued')
      state = {
        ...state,
        installed: { notBefore: now, notAfter: now + lifetime },
        ordered: false,
        issuedAt: now,
        failures: 0,
        failedAt: null,
        retryAfter: null,
      };
    else
      state = {
        ...state,
        // An issuer that is away leaves the order as it was.
        ordered: fate === 'away' && state.ordered,
        failures: state.failures + 1,
        failedAt: now,
        retryAfter: fate === 'limited' ? now + 6 * HOUR : null,
      };
  }
  return { acts, orders, uncovered };
}

interface Life {
  lifetime: number;
  fates: readonly Fate[];
  chance: number;
  until: number;
  asks?: readonly number[];
}

const lifetimes = fc.constantFrom(90 * DAY, 47 * DAY, 6 * DAY, 365 * DAY, 7 * HOUR);
const chances = fc.double({ min: 0, max: 1, noNaN: true });
const someFates = fc.array(fc.constantFrom<Fate>('refused', 'limited', 'away', 'killed', 'issued'), { maxLength: 30 });

describe('certificates', () => {
  test('are renewed 30 days before their end, or when two thirds of a short life are over, never all at once', () => {
    fc.assert(
      fc.property(lifetimes, chances, (lifetime, chance) => {
        const left = lifetime - (renewalAt({ notBefore: 0, notAfter: lifetime }, chance) - 0);
        const standard = Math.min(30 * DAY, lifetime / 3);
        expect(left).toBeGreaterThanOrEqual(standard);
        expect(left).toBeLessThanOrEqual(standard * 1.1);
      }),
    );
    expect(renewalAt({ notBefore: 0, notAfter: 90 * DAY }, 0)).not.toBe(
      renewalAt({ notBefore: 0, notAfter: 90 * DAY }, 1),
    );
  });

  test('never end where the issuer does its part, and one order is enough for each', () => {
    fc.assert(
      fc.property(lifetimes, chances, (lifetime, chance) => {
        const { acts, orders, uncovered } = live({
          lifetime,
          fates: [],
          chance,
          until: Math.min(3 * lifetime, 400 * DAY),
        });
        expect(uncovered).toBe(0);
        expect(acts.every(({ act }) => act === 'order')).toBe(true);
        expect(orders.length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 50 },
    );
  });

  test('are not asked for more often than issuers allow, whatever goes wrong and whoever is impatient', () => {
    const asks = fc.array(fc.integer({ min: 0, max: 3 * DAY }), { maxLength: 200 });
    fc.assert(
      fc.property(lifetimes, chances, someFates, asks, (lifetime, chance, fates, when) => {
        const asked = when.map((at) => START + at);
        const { acts, orders } = live({ lifetime, fates, chance, until: 3 * DAY, asks: asked });
        for (const [index, at] of orders.entries()) {
          const within = orders.slice(0, index + 1).filter((other) => other > at - HOUR);
          expect(within.length).toBeLessThanOrEqual(HOST_ORDERS_PER_HOUR);
        }
        for (const [index, { at, fate }] of acts.entries())
          if (fate === 'limited') expect((acts[index + 1]?.at ?? Infinity) - at).toBeGreaterThanOrEqual(6 * HOUR);
      }),
      { numRuns: 300 },
    );
  });

  test('are got in the end, and an order that was begun is gone on with', () => {
    fc.assert(
      fc.property(chances, someFates, (chance, fates) => {
        const { acts } = live({ lifetime: 90 * DAY, fates, chance, until: 30 * DAY });
        expect(acts.some(({ fate }) => fate === 'issued')).toBe(true);
        for (const [index, { fate }] of acts.entries())
          if (fate === 'killed' && index + 1 < acts.length) expect(acts[index + 1]?.act).toBe('resume');
      }),
      { numRuns: 300 },
    );
  });

  test('of one that fails and works still are not asked for every hour', () => {
    const { acts } = live({
      lifetime: 90 * DAY,
      fates: ['issued', ...Array<Fate>(500).fill('refused')],
      chance: 0,
      until: 85 * DAY,
    });
    const tries = acts.slice(1).filter(({ at }) => at > START + 61 * DAY && at < START + 62 * DAY);
    expect(tries.length).toBeGreaterThanOrEqual(3);
    expect(tries.length).toBeLessThanOrEqual(5);
    // With a week left it is urgent.
    const late = acts.filter(({ at }) => at > START + 84 * DAY && at < START + 85 * DAY);
    expect(late.length).toBeGreaterThanOrEqual(20);
  });

  test('of a clock that is set back are not waited for until it has caught up', () => {
    const ahead = START + 30 * DAY;
    const decision = decideCertificate(
      facts({ orders: [ahead], directoryOrders: [ahead], failures: 9, failedAt: ahead, retryAfter: ahead }),
    );
    expect(decision.act).toBe('order');
  });

  test('that are due the moment they are issued, by a wrong clock, are not ordered again and again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 61, max: 400 }), chances, (ahead, chance) => {
        const now = START + ahead * DAY;
        const installed = { notBefore: START, notAfter: START + 90 * DAY };
        const decision = decideCertificate(facts({ installed, issuedAt: now, chance, now: now + 5_000 }));
        expect(decision).toMatchObject({ act: 'wait', wakeAt: now + DAY });
      }),
    );
  });

  test('wait for the edge, for the issuer, and for the others at the same issuer, and say so', () => {
    const installed = { notBefore: START - 80 * DAY, notAfter: START + 10 * DAY };
    expect(decideCertificate(facts({ unreachable: 'no edge' }))).toMatchObject({ act: 'wait', reason: 'no edge' });
    expect(decideCertificate(facts({ installed }))).toMatchObject({ act: 'order', reason: 'it expires in 10d' });
    expect(decideCertificate(facts({ installed: { ...installed, notAfter: START - 1 } })).reason).toBe(
      'it has expired',
    );
    const busy = Array.from({ length: DIRECTORY_ORDERS_PER_HOUR }, (_, index) => START - index * MINUTE);
    const others = decideCertificate(facts({ directoryOrders: busy }));
    expect(others).toMatchObject({ act: 'wait', wakeAt: (busy.at(-1) ?? 0) + HOUR });
    expect(others.reason).toContain('orders of this issuer');
  });
});
