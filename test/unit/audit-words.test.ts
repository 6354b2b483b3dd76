import { describe, expect, test } from 'vitest';
import { changedPaths } from '../../src/domain/audit/changed-paths.ts';
import { isCutDue } from '../../src/domain/audit/retention.ts';
import { csvLine } from '../../src/lib/csv.ts';

describe('what has changed in a definition', () => {
  const before = {
    name: 'shop',
    services: [
      { name: 'api', run: 'node a.js', env: { PASSWORD: ['hunter2'] } },
      { name: 'web', run: null },
    ],
  };

  test('is named by where it is, and never by what it is', () => {
    const api = { name: 'api', run: 'node b.js', env: { PASSWORD: ['hunter3'], NEW: ['x'] } };
    const paths = changedPaths(before, { ...before, services: [{ name: 'mail' }, api] });
    expect(paths.toSorted()).toEqual([
      'services.api.env.NEW',
      'services.api.env.PASSWORD',
      'services.api.run',
      'services.mail',
      'services.web',
    ]);
  });

  test('is nothing for the same in another order, and all for the first', () => {
    expect(changedPaths(before, { ...before, services: before.services.toReversed() })).toEqual([]);
    expect(changedPaths(null, before)).toEqual(['all']);
  });

  test('is not told without end', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key${index}`, index]));
    expect(changedPaths({}, many)).toHaveLength(101);
  });
});

describe('a line of CSV', () => {
  test('keeps texts apart, whatever is in them', () => {
    expect(csvLine(['a', null, 7, 'b,c', 'say "yes"', 'two\nlines'])).toBe('a,,7,"b,c","say ""yes""","two\nlines"');
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =cmd|calc', '\t=1', '\r=1', '＝1'])('makes no formula of %j', (text) => {
    expect(csvLine([text])).toMatch(/^"?'/);
  });
});

test('the oldest entries are cut once a day, and not before their time', () => {
  const DAY = 86_400_000;
  expect(isCutDue(0, 400 * DAY, 400)).toBe(false);
  expect(isCutDue(0, 401 * DAY, 400)).toBe(false);
  expect(isCutDue(0, 401 * DAY + 1, 400)).toBe(true);
});
