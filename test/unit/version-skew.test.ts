import { expect, test } from 'vitest';
import { EvenkeelError } from '../../src/ports/errors.ts';
import { explainSkew } from '../../src/api/version-skew.ts';

const said = new EvenkeelError({
  code: 'bad-request',
  what: 'the request cannot be read',
  why: 'services.0: Unrecognized key',
});

test('a newer command is told to restart the server, an older one also how to stay with it', () => {
  const newer = explainSkew(said, '0.10.0', '0.9.3');
  expect(newer.next).toMatch(/^evenkeel server restart, which puts the new version/);
  expect(newer.why).toBe('the request cannot be read: services.0: Unrecognized key');
  expect(explainSkew(said, '0.9.3-rc.1', '0.10.0').next).toMatch(/^use the evenkeel 0.10.0/);
});

test('nothing is said of versions that are the same or not known', () => {
  expect(explainSkew(said, '0.1.0', '0.1.0')).toBe(said);
  expect(explainSkew(said, undefined, '0.1.0')).toBe(said);
});
