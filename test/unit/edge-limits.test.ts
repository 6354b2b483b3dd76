import { expect, test } from 'vitest';
import { AccessLogs } from '../../src/edge/access-log/access-logs.ts';
import { LivePolicies } from '../../src/edge/policy/live-policies.ts';
import { Limits } from '../../src/edge/policy/limits.ts';
import type { EdgePolicy } from '../../src/domain/traffic/policy.ts';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';
import { service } from '../support/edge-harness.ts';
import { tempDir } from '../support/temp.ts';

const RATE = { requests: 1, perMs: 60_000_000, burst: 2, by: 'all' } as const;
const OPEN = { allow: null, deny: [], basicAuth: null, forwardAuth: null, rate: RATE };

const limited = (hosts: readonly string[], more: Partial<EdgePolicy> = {}): EdgeService =>
  service('api', 8080, [{ release: 'api@1', weight: 100, ports: [9000] }], {
    routes: hosts.map((host) => ({ port: 8080, host, path: '/', policy: { ...OPEN, ...more } })),
  });
const nameOf = (host: string): string => `test/production/api ${host} /`;

test('limits of routes that are gone are forgotten; those that stay keep what they counted', () => {
  const limits = new Limits();
  const forever = limits.for('of no route', RATE);
  const quiet = (): void => undefined;
  const policies = new LivePolicies(quiet, new AccessLogs(tempDir(), quiet), limits.for);
  const asked = (name: string): number | null => limits.take(name, RATE, '', 0);
  for (let deploy = 0; deploy < 50; deploy++) policies.replace([limited(['stays', `preview-${deploy}`])]);
  expect(limits.size).toBe(3);
  expect([asked(nameOf('preview-49')), asked(nameOf('preview-48'))]).toEqual([0, null]);
  expect([asked(nameOf('stays')), asked(nameOf('stays'))]).toEqual([0, 0]);
  policies.replace([limited(['stays'], { deny: ['10.0.0.1'] })]); // another policy, the same limit
  expect(asked(nameOf('stays'))).toBeGreaterThan(0);
  // Another limit has the name now: the end of the former one is not its end.
  const other = { ...RATE, burst: 5 };
  policies.replace([limited(['stays'], { rate: other })]);
  expect([limits.take(nameOf('stays'), other, '', 0), asked(nameOf('stays'))]).toEqual([0, null]);
  policies.replace([]);
  expect(limits.size).toBe(1);
  expect(forever.take('', 0)).toBe(0);
  expect(asked('of no route')).toBe(0);
});
