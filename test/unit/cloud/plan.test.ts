import { describe, expect, test } from 'vitest';

import type { CloudConfig } from '../../../src/domain/cloud/config.ts';
import { desiredOf } from '../../../src/domain/cloud/desired.ts';
import { only } from '../../../src/domain/cloud/families.ts';
import { changesOf, planOf } from '../../../src/domain/cloud/plan.ts';
import { addressOf } from '../../../src/domain/cloud/resource.ts';
import type { Address, Observed } from '../../../src/domain/cloud/resource.ts';
import { made } from '../../support/cloud/arbitrary-config.ts';
import { projectOf } from '../config/read.ts';

const SETTING = { project: 'shop', environment: 'production', projectNumber: '4711' };
const FILE = `
project: shop
cloud:
  project: shop-4711
  region: europe-west1
  network: { name: default, egress: connector }
services:
  api: { run: node api.js, routes: [/api], health: /health }
databases: { main: { extensions: vector, size: 20Gi } }
buckets: { media: { expire: 7d } }
environments: { production: { runtime: cloud-run } }
`;

async function cloudOf(file = FILE): Promise<CloudConfig> {
  const { cloud } = await projectOf(file, 'production');
  if (cloud === undefined) throw new Error('nothing in the cloud');
  return cloud;
}

const desiredIn = async (file = FILE) => desiredOf(await cloudOf(file), SETTING);

/** The plan for `file` where everything of FILE is there, but for what `change` does to it. */
async function planFor(file: string, change: (observed: Observed) => Observed | null = (each) => each) {
  const observed = (await desiredIn())
    .filter(({ kind }) => kind !== 'service')
    .map(made)
    .flatMap((each) => change(each) ?? []);
  return planOf(await desiredIn(file), { observed, unknown: [] }, SETTING);
}

const only1 = async (...[file, address, change]: [string, Address, ((observed: Observed) => Observed | null)?]) => {
  const plan = await planFor(file, change);
  const others = changesOf(plan)
    .map(({ desired }) => addressOf(desired))
    .filter((each) => each !== address);
  const line = plan.lines.find((each) => each.address === address);
  if (line === undefined) throw new Error(`no line for ${address}`);
  return { ...line, others, impossible: plan.impossible };
};

const at =
  (address: Address, change: object) =>
  (observed: Observed): Observed =>
    addressOf(observed) === address
      ? ({
          ...observed,
          ...change,
          attributes: { ...observed.attributes, ...('attributes' in change ? (change.attributes as object) : {}) },
        } as Observed)
      : observed;

describe('what a plan does about a difference', () => {
  const INSTANCE = 'sql-instance/shop-production-main';

  test('what can be changed is updated in place, and only that', async () => {
    const line = await only1(FILE.replace('7d', '14d'), 'bucket/shop-production-media');
    expect(line).toMatchObject({ action: 'update', others: [], reason: null, loses: false });
    expect(line.differences).toEqual([
      { attribute: 'expire', from: { days: 7, prefixes: [] }, to: { days: 14, prefixes: [] }, why: null },
    ]);
  });

  test('what is chosen when it is made is replaced, with the reason', async () => {
    const line = await only1(
      FILE.replace('egress: connector', 'egress: connector, range: 10.9.0.0/28'),
      'connector/shop-production-net',
    );
    expect(line).toMatchObject({
      action: 'replace',
      loses: false,
      others: [],
      reason: 'the range of a connector is chosen when it is made',
    });
  });

  test('replacing a bucket says that its objects go with it', async () => {
    const moved = at('bucket/shop-production-media', { location: 'us-east1' });
    expect(await only1(FILE, 'bucket/shop-production-media', moved)).toMatchObject({ action: 'replace', loses: true });
  });

  test('a disk that grew by itself is as it should be, and one that is too small grows', async () => {
    const grown = at(INSTANCE, { attributes: { storageGb: 80 } });
    expect(await only1(FILE, INSTANCE, grown)).toMatchObject({ action: 'keep', differences: [], impossible: [] });
    const small = at(INSTANCE, { attributes: { storageGb: 10 } });
    expect(await only1(FILE, INSTANCE, small)).toMatchObject({ action: 'update', others: [] });
  });

  test('what nobody can do to a database is said, and the database is left as it is', async () => {
    const fixed = FILE.replace('size: 20Gi', 'size: 20Gi, autoIncrease: false');
    const line = await only1(fixed, INSTANCE, at(INSTANCE, { attributes: { storageGb: 80, autoIncrease: false } }));
    const reason = 'the disk of a database never shrinks: write what it is, or name another one';
    expect(line).toMatchObject({ action: 'keep', others: [], reason, impossible: [{ address: INSTANCE, reason }] });
    const older = await only1(FILE, INSTANCE, at(INSTANCE, { attributes: { version: 'POSTGRES_17' } }));
    expect(older).toMatchObject({ action: 'keep', impossible: [{ address: INSTANCE }] });
    const newer = await only1(FILE.replace('size: 20Gi', 'version: 17'), INSTANCE);
    expect(newer).toMatchObject({ action: 'update', impossible: [] });
  });

  test('extensions that others made stay; those that are missing are made', async () => {
    const address = 'sql-database/shop-production-main/shop';
    const more = at(address, { attributes: { extensions: ['postgis', 'vector'] } });
    expect(await only1(FILE, address, more)).toMatchObject({ action: 'keep' });
    const none = at(address, { attributes: { extensions: [] } });
    expect(await only1(FILE, address, none)).toMatchObject({ action: 'update', others: [] });
  });

  test('lists and maps are compared whatever their order', async () => {
    const turned = FILE.replace('expire: 7d', 'expire: { after: 7d, prefixes: [a, b] }');
    const there = at('bucket/shop-production-media', { attributes: { expire: { prefixes: ['b', 'a'], days: 7 } } });
    expect(await only1(turned, 'bucket/shop-production-media', there)).toMatchObject({ action: 'keep' });
  });

  test('a service is never made by a set-up: it comes with a deploy', async () => {
    const line = await only1(FILE, 'service/shop-production-api');
    expect(line).toMatchObject({
      action: 'keep',
      others: [],
      reason: 'not deployed yet: it comes with `evenkeel deploy`',
    });
  });

  test('property 30: what stopped, failed or has no value says so', async () => {
    expect(await only1(FILE, INSTANCE, at(INSTANCE, { state: 'stopped' }))).toMatchObject({
      action: 'keep',
      reason: 'it is stopped',
    });
    expect(await only1(FILE, INSTANCE, at(INSTANCE, { state: 'failed', problem: 'no quota' }))).toMatchObject({
      // Nothing can be made in it any more: anew, for a phrase.
      action: 'replace',
      loses: true,
      reason: 'it failed: no quota',
    });
    const secret = 'secret/shop-production-database-url';
    expect(await only1(FILE, secret, at(secret, { hasValue: false }))).toMatchObject({ reason: 'it has no value yet' });
  });

  test('what another environment made is kept, with whose it is', async () => {
    const theirs = at('bucket/shop-production-media', {
      labels: { 'evenkeel-project': 'shop', 'evenkeel-environment': 'staging' },
    });
    const line = await only1(FILE, 'bucket/shop-production-media', theirs);
    expect(line).toMatchObject({ action: 'keep', others: [], reason: 'it belongs to shop in staging' });
  });
});

describe('a part of a plan', () => {
  test('`--only database` brings its APIs, secrets and nothing else', async () => {
    const chosen = only(await desiredIn(), ['database']);
    if (!chosen.ok) throw new Error(chosen.word);
    const kinds = new Set(chosen.resources.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['api', 'secret', 'sql-instance', 'sql-database', 'sql-user']));
    const { lines } = planOf(await desiredIn(), { observed: [], unknown: [] }, SETTING, chosen.resources);
    expect(lines).toHaveLength(chosen.resources.length);
  });

  test('one resource can be named, in the singular, too; a word that names nothing is refused', async () => {
    const all = await desiredIn();
    const one = only(all, ['bucket/shop-production-media']);
    expect(one.ok && one.resources.map(addressOf)).toEqual([
      'api/storage-api.googleapis.com',
      'bucket/shop-production-media',
    ]);
    expect(only(all, ['bucket']).ok).toBe(true);
    expect(only(all, ['databse'])).toMatchObject({ ok: false, word: 'databse', meant: 'database' });
  });
});

test('a plan says of each line what is done and why', async () => {
  const file = FILE.replace('7d', '14d')
    .replace('egress: connector', 'egress: connector, range: 10.9.0.0/28')
    .replace('media:', 'pictures: {}, media:');
  const plan = await planFor(file, (each) => (addressOf(each) === 'secret/shop-production-database-url' ? null : each));
  const said = plan.lines.filter(({ action, kind }) => action !== 'keep' || kind === 'service');
  expect(
    said.map(({ action, address, differences, reason }) => [
      `${action} ${address}`,
      ...(action === 'create' ? [] : differences.map(({ attribute, from, to }) => [attribute, from, to])),
      reason,
    ]),
  ).toEqual([
    ['create bucket/shop-production-pictures', null],
    ['update bucket/shop-production-media', ['expire', { days: 7, prefixes: [] }, { days: 14, prefixes: [] }], null],
    [
      'replace connector/shop-production-net',
      ['range', '10.8.0.0/28', '10.9.0.0/28'],
      'the range of a connector is chosen when it is made',
    ],
    ['create secret/shop-production-database-url', null],
    ['keep service/shop-production-api', 'not deployed yet: it comes with `evenkeel deploy`'],
  ]);
});
