import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, addressOf, type Desired, type Kind, type Observed } from '../../../src/domain/cloud/resource.ts';
import { type Seen, statusOf } from '../../../src/domain/cloud/status.ts';
import * as some from '../../support/cloud/arbitrary-cloud.ts';

const scope = { project: 'shop', environment: 'production' };
const problem = { message: 'no answer within 20 s', next: null };

interface Case {
  desired: Desired[];
  there: Observed[];
  looks: Seen[];
  blind: Kind[];
}

/** A file, what is there of it, and looks of which some found nothing out. */
const cases: fc.Arbitrary<Case> = some.desiredResources(scope).chain((desired) =>
  fc
    .record({
      there: some.someObserved(desired),
      states: fc.infiniteStream(fc.constantFrom('ready', 'changing', 'stopped', 'failed')),
      blind: fc.subarray([...new Set(desired.map(({ kind }) => kind))]),
      unasked: fc.integer({ min: 0, max: 5 }),
    })
    .map(({ there, states, blind, unasked }): Case => {
      const seen = there.map((each) => ({ ...each, state: states.next().value }));
      const kinds = [...new Set(desired.map(({ kind }) => kind))];
      const looks = kinds
        .filter((_, index) => index !== unasked)
        .map((kind): Seen =>
          blind.includes(kind) ? { kind, problem } : { kind, resources: seen.filter((each) => each.kind === kind) },
        );
      return { desired, there: seen, looks, blind: kinds.filter((kind, at) => blind.includes(kind) || at === unasked) };
    }),
);
const look = ({ desired, looks }: Case, differences = new Map<Address, string[]>()) =>
  statusOf(desired, looks, { differences, made: new Set() });

test('property 29: what could not be looked at is unknown, and holds up nothing else', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const { lines } = look(each);
      expect(lines.map(({ address }) => address)).toEqual(each.desired.map(addressOf));
      for (const line of lines) expect(line.state === 'unknown', line.address).toBe(each.blind.includes(line.kind));
    }),
  );
});

test('property 30: what is missing is shown as missing, with what makes it', () => {
  fc.assert(
    fc.property(cases, (each) => {
      for (const { address, kind, state, next } of look(each).lines) {
        const there = each.there.find((one) => addressOf(one) === address);
        if (each.blind.includes(kind)) continue;
        expect(state).toBe(there?.state ?? 'missing');
        if (there === undefined) expect(next).toBe('evenkeel cloud setup');
      }
    }),
  );
});

test('all is only said to be well when everything was seen, is ready, and is as the file says', () => {
  fc.assert(
    fc.property(cases, fc.boolean(), (each, differs) => {
      const first = each.there[0];
      const differences = new Map(differs && first !== undefined ? [[addressOf(first), ['tier']]] : []);
      const { level, counts, lines, reason, alertPolicies } = look(each, differences);
      const fine = lines.every(
        ({ state, differs: off, withoutValue }) => state === 'ready' && off.length === 0 && !withoutValue,
      );
      expect(level === 'well').toBe(fine);
      expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(lines.length);
      for (const [state, count] of Object.entries(counts)) {
        expect(lines.filter((line) => line.state === state).length).toBe(count);
        if (count > 0) expect(reason).toContain(`${count}`);
      }
      const policies = lines.filter(({ kind }) => kind === 'alert-policy');
      const blind = policies.some(({ state }) => state === 'unknown');
      expect(alertPolicies).toBe(blind ? null : policies.filter(({ state }) => state !== 'missing').length);
    }),
  );
});
