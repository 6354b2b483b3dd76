import { expect, test } from 'vitest';
import { foreseenUrl, hostPattern, looksFilter } from '../../../src/domain/cloud/names.ts';

test('an alert looks at both addresses of a service, and at those of no other', () => {
  const ours = new RegExp(`^${hostPattern('shop-api')}$`);
  const foreseen = (name: string): string =>
    new URL(foreseenUrl(name, { projectNumber: '4711', region: 'europe-west1' })).host;
  expect(ours.test(foreseen('shop-api'))).toBe(true);
  expect(ours.test('shop-api-x7abcdefgh-ew.a.run.app')).toBe(true);
  for (const other of ['shop-api-admin', 'shop-api-2', 'my-shop-api']) {
    expect(ours.test(foreseen(other)), other).toBe(false);
    expect(ours.test(`${other}-x7abcdefgh-ew.a.run.app`), other).toBe(false);
  }
  expect(ours.test('r2---shop-api-x7abcdefgh-ew.a.run.app')).toBe(false);
  expect(ours.test('shop-api-4711.europe-west1.run.app.evil.example')).toBe(false);
  expect(looksFilter('shop-api')).toContain('full_match("shop-api-([0-9]+[.][a-z0-9-]+|');
});
