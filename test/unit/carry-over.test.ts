import { expect, test } from 'vitest';
import { unlike } from '../../src/domain/release/carry-over.ts';
import { service } from '../support/engine/world.ts';

const api = service('api', { build: 'npm run build', env: { MODE: ['on'] }, instances: 1 });

test('files serve elsewhere when the same program was built of the same', () => {
  expect(unlike(api, api)).toBeNull();
  // How much of it runs, and by which rules, is each environment's own business.
  expect(unlike(api, { ...api, instances: 4, resources: { memory: 1, cpu: 1 }, timeoutMs: 1 })).toBeNull();
});

test('an environment that knows another program does not run these files', () => {
  expect(unlike(api, { ...api, run: 'node other.js', env: { MODE: ['off'] } })).toEqual({
    kind: 'definition',
    keys: ['run'],
  });
  expect(unlike(api, { ...api, static: { dir: 'dist', spa: true } })?.kind).toBe('definition');
});

test('a build may have written into its files what it has read', () => {
  expect(unlike(api, { ...api, env: { MODE: ['off'], MORE: ['x'] } })).toEqual({
    kind: 'build',
    keys: ['env.MODE', 'env.MORE'],
  });
  // A secret of one name has another value in each environment.
  const secret = { ...api, env: { TOKEN: [{ secret: 'TOKEN' }] } };
  expect(unlike(secret, secret)).toEqual({ kind: 'build', keys: ['env.TOKEN'] });
  // What is not built reads nothing before it runs.
  expect(unlike({ ...secret, build: null }, { ...secret, build: null, env: {} })).toBeNull();
});
