import { expect, test } from 'vitest';
import type { ChangeEvent } from '../../src/api/contract/changes.ts';
import { type Key, touches } from '../../web/src/api/touched.ts';

const place = { project: 'shop', environment: 'production' };
const api = { ...place, service: 'api' };
const keys: Record<string, Key> = {
  overview: ['overview'],
  'overview of staging': ['overview', { ...place, environment: 'staging' }],
  status: ['status', place],
  rollouts: ['rollouts'],
  releases: ['releases', api, 20],
  series: ['series', api, 3_600_000],
  comparison: ['comparison', { project: 'shop' }, 'staging', 'production'],
  'comparison of another': ['comparison', { project: 'chat' }, 'staging', 'production'],
  audit: ['audit', null, 'filter'],
};
const touchedBy = (event: ChangeEvent): string[] =>
  Object.keys(keys).filter((name) => touches(event, keys[name] ?? []));

test('a change asks again for what it touches, in its place, and for nothing else', () => {
  expect(touchedBy({ type: 'status', ...place })).toEqual(['overview', 'status']);
  expect(touchedBy({ type: 'metrics' })).toEqual(['overview', 'overview of staging', 'status', 'series']);
  expect(touchedBy({ type: 'release', ...api, release: 'api@2' })).toEqual([
    'overview',
    'status',
    'releases',
    'series',
    'comparison',
  ]);
  const rollout = { rollout: 'r_1', phase: 'canary', end: null, settled: false, paused: null };
  expect(touchedBy({ type: 'rollout', ...place, ...rollout })).toEqual([
    'overview',
    'status',
    'rollouts',
    'releases',
    'series',
  ]);
  expect(touchedBy({ type: 'audit', project: null, environment: null })).toEqual([
    'comparison',
    'comparison of another',
    'audit',
  ]);
});

test('a line that begins anew asks again for everything, and for nothing that no change is told of', () => {
  expect(touchedBy({ type: 'reset', reason: 'too-old' })).toEqual(Object.keys(keys));
  expect(touches({ type: 'reset', reason: 'begin' }, ['all-rollouts'])).toBe(false);
});
