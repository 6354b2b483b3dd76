import { expect, test } from 'vitest';
import { safeNext } from '../../web/src/session/next.ts';

test.each([
  ['/rollouts', '/rollouts'],
  ['/audit?act=3#top', '/audit?act=3#top'],
  ['/projects/shop/environments/a%2Fb/services/api', '/projects/shop/environments/a%2Fb/services/api'],
  // What a browser makes of it, and what it could be taken for.
  ['/a/../rollouts', '/rollouts'],
  ['/sign-ins', '/sign-ins'],
])('pages of the dashboard are gone back to: %s', (wanted, goes) => {
  expect(safeNext(wanted)).toBe(goes);
});

test.each([
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/\n//evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  ' //evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '/sign-in',
  '/sign-in/oidc/company',
  '/x/../sign-in/oidc/company',
  '/api/v1/audit/export',
  '',
  7,
  null,
  undefined,
])('everything else leads to the overview: %j', (wanted) => {
  expect(safeNext(wanted)).toBe('/');
});
