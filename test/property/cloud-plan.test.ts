import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { BASE_APIS, DEFAULT_ROLES } from '../../src/domain/cloud/defaults.ts';
import { apisOf, desiredOf } from '../../src/domain/cloud/desired.ts';
import { FAMILIES, only } from '../../src/domain/cloud/families.ts';
import { cloudName } from '../../src/domain/cloud/names.ts';
import { RANK, wavesOf } from '../../src/domain/cloud/order.ts';
import { changesOf, planOf } from '../../src/domain/cloud/plan.ts';
import { addressOf, isOwn } from '../../src/domain/cloud/resource.ts';
import type { Desired, Kind, Observed } from '../../src/domain/cloud/resource.ts';
import { cloudConfig, made, name, SETTING } from '../support/cloud/arbitrary-config.ts';

const RUNS = Number(process.env['EVENKEEL_PROPERTY_RUNS'] ?? 100);

const desired = cloudConfig.map((config) => ({ config, all: desiredOf(config, SETTING) }));
const assertAll = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, holds), { numRuns: RUNS });

const ofKind = <K extends Kind>(all: readonly Desired[], kind: K) =>
  all.filter((each): each is Extract<Desired, { kind: K }> => each.kind === kind);
const setUp = (all: readonly Desired[]): Observed[] => all.filter(({ kind }) => kind !== 'service').map(made);
const nothingUnknown = (observed: readonly Observed[]) => ({ observed, unknown: [] });

test('property 1: the APIs of every kind that is asked for are asked for, once each', () => {
  assertAll(desired, ({ config, all }) => {
    const apis = ofKind(all, 'api').map((each) => each.name);
    expect(new Set(apis).size).toBe(apis.length);
    expect(apis).toEqual(
      expect.arrayContaining([...BASE_APIS, ...config.apis, ...all.flatMap(({ kind }) => apisOf(kind))]),
    );
  });
});

test('properties 2, 3: every declared bucket is asked for, with its rule', () => {
  assertAll(desired, ({ config, all }) => {
    const buckets = ofKind(all, 'bucket').map(({ name: called, location, attributes }) => [
      called,
      location,
      attributes,
    ]);
    expect(buckets).toMatchObject(
      config.buckets.map((each) => [
        each.name,
        config.region,
        { expire: each.expire, public: each.public, versioning: each.versioning },
      ]),
    );
  });
});

test('property 4: the account is asked for with all of its roles', () => {
  assertAll(desired, ({ all }) => {
    const [account] = ofKind(all, 'account');
    const roles = ofKind(all, 'role');
    expect(roles.map(({ attributes }) => attributes.role)).toEqual(DEFAULT_ROLES);
    for (const role of roles) expect(role.needs).toContain(`account/${account?.name}`);
  });
});

test('property 5: every declared secret is asked for, and no value of it', () => {
  assertAll(desired, ({ config, all }) => {
    const secrets = ofKind(all, 'secret');
    expect(secrets.map((each) => each.name)).toEqual([...new Set(config.secrets.map(({ id }) => id))]);
    for (const { attributes } of secrets) expect(attributes).toEqual({ replication: 'automatic' });
  });
});

test('property 15: whatever has a region is in the configured one', () => {
  assertAll(desired, ({ config, all }) => {
    for (const { location } of all) expect([null, config.region]).toContain(location);
  });
});

test('property 18: services with a database have its connection and wait for it, others do neither', () => {
  assertAll(desired, ({ config, all }) => {
    for (const [index, service] of ofKind(all, 'service').entries()) {
      const uses = config.services[index]?.database === true && config.database !== null;
      expect(service.attributes.sql).toBe(uses ? 'shop-4711:europe-west1:db' : null);
      expect(service.needs.some((need) => need.startsWith('sql-'))).toBe(uses);
    }
  });
});

test('every public service is looked at from outside and has its alerts; nothing watches a private one', () => {
  assertAll(desired, ({ config, all }) => {
    const open = config.services.filter((each) => each.public);
    expect(ofKind(all, 'uptime-check').map(({ attributes }) => attributes.host)).toEqual(
      open.map((each) => `${each.name}-4711.europe-west1.run.app`),
    );
    const policies = ofKind(all, 'alert-policy');
    expect(policies).toHaveLength(open.length * 3);
    // Whoever is to be told is told of everything, and is there before.
    const channels = ofKind(all, 'alert-channel');
    expect(channels.map(({ attributes }) => attributes.email)).toEqual(open.length === 0 ? [] : config.alerts.emails);
    for (const { attributes, needs } of policies) {
      expect(attributes.channels).toEqual(channels.map(({ name }) => name));
      expect(needs).toEqual(expect.arrayContaining(channels.map(addressOf)));
    }
  });
});

test('no two resources have one address, all bear our labels, and the same configuration asks for the same', () => {
  assertAll(desired, ({ config, all }) => {
    expect(new Set(all.map(addressOf)).size).toBe(all.length);
    expect(all.every(({ labels }) => isOwn(labels, SETTING))).toBe(true);
    expect(desiredOf(structuredClone(config), SETTING)).toEqual(all);
  });
});

test('nothing needs what is not asked for, and nothing can need itself by any way round', () => {
  assertAll(desired, ({ all }) => {
    const rank = new Map(all.map((each) => [addressOf(each), RANK[each.kind]]));
    for (const each of all)
      for (const need of each.needs) expect(rank.get(need) ?? Infinity).toBeLessThan(RANK[each.kind]);
    const waves = wavesOf(all);
    expect(waves.flat()).toHaveLength(all.length);
    const done = new Set<string>();
    for (const wave of waves) {
      for (const each of wave) expect(each.needs.every((need) => done.has(need))).toBe(true);
      for (const each of wave) done.add(addressOf(each));
    }
  });
});

test('a circle is refused rather than left waiting for ever', () => {
  const node = (own: string, other: string) => ({
    kind: 'bucket' as const,
    name: own,
    needs: [`bucket/${other}` as const],
  });
  expect(() => wavesOf([node('a', 'b'), node('b', 'a')])).toThrow('these need each other: bucket/a, bucket/b');
});

test('where nothing is, all but the services is created; where all is, nothing is changed', () => {
  assertAll(desired, ({ all }) => {
    const empty = planOf(all, nothingUnknown([]), SETTING);
    expect(changesOf(empty).map((each) => addressOf(each.desired))).toEqual(setUp(all).map(addressOf));
    expect(new Set(changesOf(empty).map(({ action }) => action)).size).toBeLessThan(2);
    const again = planOf(all, nothingUnknown(setUp(all)), SETTING);
    expect(changesOf(again)).toEqual([]);
    expect(again.impossible).toEqual([]);
  });
});

test('a set-up that was interrupted anywhere goes on with what is missing, and with nothing else', () => {
  assertAll(fc.tuple(desired, fc.infiniteStream(fc.boolean())), ([{ all }, chance]) => {
    const there = setUp(all).filter(() => chance.next().value === true);
    const plan = planOf(all, nothingUnknown(there), SETTING);
    const known = new Set(there.map(addressOf));
    expect(changesOf(plan).map((each) => addressOf(each.desired))).toEqual(
      setUp(all)
        .map(addressOf)
        .filter((address) => !known.has(address)),
    );
  });
});

test('from one configuration to another: carrying the changes out leaves nothing to change, or says what cannot be', () => {
  assertAll(fc.tuple(desired, desired), ([before, after]) => {
    const there = new Map(setUp(before.all).map((each) => [addressOf(each), each]));
    const plan = planOf(after.all, nothingUnknown([...there.values()]), SETTING);
    for (const change of changesOf(plan)) {
      // What a disk has grown to, and more extensions than asked for, stay.
      there.set(addressOf(change.desired), made(change.desired));
    }
    const again = planOf(after.all, nothingUnknown([...there.values()]), SETTING);
    expect(changesOf(again)).toEqual([]);
    expect(again.impossible).toEqual(plan.impossible);
    for (const { address } of plan.impossible) expect(address).toMatch(/^sql-instance\//);
  });
});

test('a database is never replaced: its name would be gone for a week, and its data for ever', () => {
  assertAll(fc.tuple(desired, desired), ([before, after]) => {
    const plan = planOf(after.all, nothingUnknown(setUp(before.all)), SETTING);
    for (const line of plan.lines) if (line.kind === 'sql-instance') expect(line.action).not.toBe('replace');
  });
});

test('property 29: of a kind that could not be looked at nothing is created, changed or called missing', () => {
  const kinds = Object.keys(RANK) as Kind[];
  assertAll(fc.tuple(desired, fc.subarray(kinds)), ([{ all }, blind]) => {
    const unknown = blind.map((kind) => ({ kind, problem: { message: 'no answer' } }));
    const plan = planOf(all, { observed: [], unknown }, SETTING);
    for (const line of plan.lines) expect(line.action === 'unknown').toBe(blind.includes(line.kind));
    expect(changesOf(plan).some((each) => blind.includes(each.desired.kind))).toBe(false);
  });
});

test('what is others’ is neither relabelled nor replaced, and is shown apart', () => {
  const owner = fc.constantFrom({}, { 'evenkeel-project': 'shop', 'evenkeel-environment': 'staging' });
  const moved = fc.constantFrom('europe-west1', 'us-east1');
  assertAll(fc.tuple(desired, desired, owner, moved), ([before, after, labels, region]) => {
    const theirs = setUp(before.all).map((each): Observed => ({
      ...each,
      labels,
      location: each.location === null ? null : region,
    }));
    const plan = planOf(after.all, nothingUnknown(theirs), SETTING);
    const labelled = new Set<Kind>([
      'account',
      'repository',
      'bucket',
      'sql-instance',
      'secret',
      'uptime-check',
      'alert-policy',
      'alert-channel',
    ]);
    for (const line of plan.lines.filter(({ kind, observed }) => labelled.has(kind) && observed !== null)) {
      expect(line.action).not.toBe('replace');
      if (line.action === 'update') expect(line.desired?.labels).toEqual({});
      expect(line.reason).not.toBeNull();
    }
  });
});

test('what nobody asked for any more is unmanaged: a plan deletes nothing', () => {
  assertAll(fc.tuple(desired, desired), ([before, after]) => {
    const plan = planOf(after.all, nothingUnknown(setUp(before.all)), SETTING);
    const wanted = new Set(after.all.map(addressOf));
    for (const line of plan.lines.filter(({ action }) => action === 'unmanaged'))
      expect(wanted.has(line.address)).toBe(false);
    const gone = setUp(before.all).filter(
      ({ kind, name: called }) => kind === 'bucket' && !wanted.has(`bucket/${called}`),
    );
    const told = plan.lines.filter(({ action, kind }) => action === 'unmanaged' && kind === 'bucket');
    expect(told.map(({ name: called }) => called)).toEqual(gone.map(({ name: called }) => called));
  });
});

test('one family brings all that it needs, and nothing else', () => {
  assertAll(fc.tuple(desired, fc.constantFrom(...Object.keys(FAMILIES))), ([{ all }, word]) => {
    const chosen = only(all, [word]);
    if (!chosen.ok) throw new Error(word);
    const taken = new Set(chosen.resources.map(addressOf));
    const needed = new Set(chosen.resources.flatMap(({ needs }) => needs));
    for (const each of chosen.resources) {
      expect(FAMILIES[word]?.includes(each.kind) === true || needed.has(addressOf(each))).toBe(true);
      expect(each.needs.every((need) => taken.has(need))).toBe(true);
    }
    expect(all.filter(({ kind }) => FAMILIES[word]?.includes(kind)).every((each) => taken.has(addressOf(each)))).toBe(
      true,
    );
  });
});

test('names fit, begin with a letter, and differ where what they are made from differs', () => {
  const limit = fc.constantFrom(25, 30, 49, 63);
  const long = fc.tuple(name, name, name).map((parts) => parts.join('-').slice(0, 40).replace(/-$/, ''));
  assertAll(fc.tuple(long, long, long, long, limit), ([project, environment, one, other, longest]) => {
    const a = cloudName({ project, environment }, one, longest);
    const b = cloudName({ project, environment }, other, longest);
    expect(a).toMatch(/^[a-z]([a-z0-9-]*[a-z0-9])?$/);
    expect(a.length).toBeLessThanOrEqual(longest);
    expect(a === b).toBe(one === other);
  });
});
