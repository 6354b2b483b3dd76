import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryFile, processEnv } from '../../src/platform/entry.ts';
import { evenkeelPaths } from '../../src/platform/paths.ts';
import { unitFile } from '../../src/platform/systemd-unit.ts';

test('an entry is a file of this clone, unless the environment names another', () => {
  expect(existsSync(entryFile('keeper'))).toBe(true);
  expect(entryFile('edge', { EVENKEEL_EDGE_ENTRY: '/stand-in.ts' })).toBe('/stand-in.ts');
  expect(entryFile('edge', { EVENKEEL_EDGE_ENTRY: '' })).toMatch(/\/edge\/main\.ts$/);
});

test('the unit starts the keeper with this node, as this user, and leaves instances alone', () => {
  const unit = unitFile({ execPath: '/opt/node/bin/node', home: '/var/lib/evenkeel', user: 'ek' });
  expect(unit).toContain('\nUser=ek\n');
  expect(unit).toContain('\nEnvironment="EVENKEEL_HOME=/var/lib/evenkeel"\n');
  expect(unit).toContain('\nEnvironment="MALLOC_ARENA_MAX=2"\n');
  expect(unit).toMatch(/\nExecStart=\/opt\/node\/bin\/node .*\/keeper\/main\.ts --stand-by\n/);
  expect(unit).toContain('\nKillMode=process\n');
});

test('names that mean something to systemd reach the keeper as they are', () => {
  const unit = unitFile({ execPath: '/opt/my $node/100%/node', home: '/srv/a "b" 50%', user: 'ek' });
  expect(unit).toContain('ExecStart="/opt/my $$node/100%%/node" ');
  expect(unit).toContain('Environment="EVENKEEL_HOME=/srv/a \\"b\\" 50%%"');
});

test('the allocator of our processes is told to keep few heaps, unless somebody said otherwise', () => {
  const paths = evenkeelPaths({ EVENKEEL_HOME: '/srv/ek' });
  expect(processEnv({}, paths)).toMatchObject({ MALLOC_ARENA_MAX: '2' });
  expect(processEnv({ MALLOC_ARENA_MAX: '8' }, paths)).toMatchObject({ MALLOC_ARENA_MAX: '8' });
});
