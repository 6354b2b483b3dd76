import { expect, test } from 'vitest';
import type { Desired, Kind, Observed } from '../../../src/domain/cloud/resource.ts';
import { type Seen, statusOf } from '../../../src/domain/cloud/status.ts';

const desired = (kind: Kind, name: string): Desired =>
  ({ kind, name, location: null, labels: {}, needs: [], attributes: {} }) as unknown as Desired;
const seen = (kind: Kind, name: string, more: object = {}): Observed => ({
  ...desired(kind, name),
  state: 'ready',
  createdAt: null,
  ...more,
});

const all = [
  desired('sql-instance', 'main'),
  desired('bucket', 'avatars'),
  desired('secret', 'jwt-secret'),
  desired('service', 'api'),
  desired('service', 'ws'),
  desired('alert-policy', 'api-errors'),
];
const looks: Seen[] = [
  { kind: 'sql-instance', resources: [seen('sql-instance', 'main', { state: 'stopped' })] },
  { kind: 'bucket', resources: [] },
  { kind: 'secret', resources: [seen('secret', 'jwt-secret', { hasValue: false })] },
  { kind: 'service', resources: [seen('service', 'api', { url: 'https://api.run.app' })] },
  { kind: 'alert-policy', problem: { message: 'no answer within 20 s', next: 'try again' } },
];

const NONE = new Set<string>();

test('a status says of each what it is and what to do', () => {
  const differences = new Map([['service/api' as const, ['memory', 'maxInstances']]]);
  const status = statusOf(all, looks, { differences, made: NONE });
  expect(status.lines.map(({ address, words, next }) => [address, words, next])).toEqual([
    ['sql-instance/main', 'stopped', 'evenkeel cloud start main'],
    ['bucket/avatars', 'missing', 'evenkeel cloud setup'],
    ['secret/jwt-secret', 'ready, without a value', 'evenkeel cloud secret jwt-secret'],
    ['service/api', 'ready, not as the file says: memory, maxInstances', 'evenkeel cloud plan'],
    ['service/ws', 'not deployed yet', 'evenkeel deploy'],
    ['alert-policy/api-errors', 'unknown', 'try again'],
  ]);
  expect(status).toMatchObject({
    level: 'unknown',
    alertPolicies: null,
    reason: '2 of 6 resources ready; 2 missing, 1 unknown, 1 stopped, 1 not as the file says, 1 secret without a value',
  });
  expect(status.lines[3]?.url).toBe('https://api.run.app');
});

test('what failed comes before what is not known', () => {
  const failed: Seen[] = [
    { kind: 'service', resources: [seen('service', 'api', { state: 'failed', problem: 'image not found' })] },
  ];
  const status = statusOf(all, failed, { differences: new Map(), made: NONE });
  expect(status.level).toBe('failed');
  expect(status.lines.find(({ name }) => name === 'api')?.problem).toBe('image not found');
  expect(status.lines.find(({ name }) => name === 'main')).toMatchObject({
    state: 'unknown',
    problem: 'it was not looked at',
  });
});

test('nothing declared is nothing wrong', () => {
  expect(statusOf([], [], { differences: new Map(), made: NONE })).toMatchObject({
    level: 'well',
    reason: '0 of 0 resources ready',
  });
});

test('a secret that set-up fills is not asked of a person', () => {
  const secret = [{ kind: 'secret' as const, resources: [seen('secret', 'jwt-secret', { hasValue: false })] }];
  const { lines } = statusOf([desired('secret', 'jwt-secret')], secret, {
    differences: new Map(),
    made: new Set(['jwt-secret']),
  });
  expect(lines[0]?.next).toBe('evenkeel cloud setup');
});
