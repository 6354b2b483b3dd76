import { describe, expect, test } from 'vitest';
import {
  changedSecrets,
  secretsIn,
  versionsIn,
  withoutVersions,
  withVersions,
} from '../../src/domain/release/secret-versions.ts';
import { service as serviceOf } from '../support/engine/world.ts';

const service = serviceOf('api', {
  env: { A: [{ secret: 'KEY' }], B: ['db://', { secret: 'PASSWORD' }, '@', { serviceUrl: 'db' }], C: ['plain'] },
});

describe('the versions of secrets', () => {
  test('are named by a release, and are no part of what the file says', () => {
    const release = withVersions(service, { KEY: 'k1', PASSWORD: 'p1', UNUSED: 'u1' });
    expect(versionsIn(release.env)).toEqual({ KEY: 'k1', PASSWORD: 'p1' });
    expect(secretsIn(release.env)).toEqual(['KEY', 'PASSWORD']);
    expect(withoutVersions(release)).toEqual(service);
    expect(release.env['B']).toEqual(['db://', { secret: 'PASSWORD', version: 'p1' }, '@', { serviceUrl: 'db' }]);
  });

  test('tell a release with a former value from one that is up to date', () => {
    const { env } = withVersions(service, { KEY: 'k1', PASSWORD: 'p1' });
    expect(changedSecrets(env, { KEY: 'k1', PASSWORD: 'p1' })).toEqual([]);
    expect(changedSecrets(env, { KEY: 'k2', PASSWORD: 'p1' })).toEqual(['KEY']);
    // Removed: nothing to roll out, and the refusal to start says it.
    expect(changedSecrets(env, { PASSWORD: 'p1' })).toEqual([]);
    // From before there were versions: nobody knows, and an update makes no rollout of its own.
    expect(changedSecrets(service.env, { KEY: 'k1', PASSWORD: 'p1' })).toEqual([]);
  });
});
