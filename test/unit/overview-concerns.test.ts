import { expect, test } from 'vitest';
import { concernsOf, serverConcerns } from '../../src/domain/overview/concerns.ts';

const quiet = { project: 'shop', environment: 'production', services: [], rollouts: [] };

test('says what waits for a person, what is closed and what is wrong beside services', () => {
  const concerns = concernsOf({
    ...quiet,
    services: [
      { service: 'api', instances: [{ restarts: 2 }, { restarts: 1 }] },
      { service: 'web', instances: [{ restarts: 2 }] },
    ],
    rollouts: [
      { id: 'r_1', services: [{ to: 'api@2' }], paused: { detail: 'needs 1 approval' } },
      { id: 'r_2', services: [{ to: 'web@2' }], paused: null },
    ],
    closed: { services: ['web'], by: 'ann' },
    tls: { concerns: ['the certificate of shop.example expires in 3 days'] },
  });
  expect(concerns.map(({ aspect, service, rollout, text }) => [aspect, service, rollout, text])).toEqual([
    ['rollout', null, 'r_1', 'api@2 in production of shop waits for a person: needs 1 approval'],
    ['restarts', 'api', null, 'api: its instances were started again 3 times'],
    ['closed', null, null, 'web in production of shop: closed for maintenance by ann'],
    ['certificate', null, null, 'production of shop: the certificate of shop.example expires in 3 days'],
  ]);
  expect(concernsOf(quiet)).toEqual([]);
});

test('says what evenkeel itself lacks, the worst as such', () => {
  expect(serverConcerns({ edge: true, storeAwaySince: null, unwritten: 0 }, 1_000)).toEqual([]);
  const all = serverConcerns({ edge: false, storeAwaySince: 1_000, unwritten: 2 }, 61_000);
  expect(all.map(({ state, aspect }) => [state, aspect])).toEqual([
    ['critical', 'edge'],
    ['critical', 'store'],
    ['warning', 'store'],
  ]);
  expect(all[1]?.text).toContain('for 1m');
});
