import { describe, expect, test } from 'vitest';
import { differences, leavesOf } from '../../web/src/audit/differences.ts';
import { auditSearch, filterOf } from '../../web/src/audit/search.ts';
import { OPERATIONS, operationInWords } from '../../web/src/audit/words.ts';

describe('what is different between before and after', () => {
  test('is told place by place, and what stayed is not', () => {
    const before = { name: 'shop', grants: [{ role: 'viewer' }, { role: 'admin' }], gone: true };
    const after = { name: 'shop', grants: [{ role: 'operator' }, { role: 'admin' }], made: 1 };
    expect(differences(before, after)).toEqual([
      { path: 'grants.0.role', before: 'viewer', after: 'operator' },
      { path: 'gone', before: 'true', after: null },
      { path: 'made', before: null, after: '1' },
    ]);
  });

  test('is all of it where one of them is not there, and a value without a name of its own is told, too', () => {
    expect(differences(undefined, { weight: 10 })).toEqual([{ path: 'weight', before: null, after: '10' }]);
    expect(differences('a', 'b')).toEqual([{ path: '', before: 'a', after: 'b' }]);
    expect(differences({ a: null }, { a: null })).toEqual([]);
  });

  test('tells an empty list from none', () => {
    expect([...leavesOf({ list: [], map: {}, nothing: null })]).toEqual([
      ['list', '[]'],
      ['map', '{}'],
      ['nothing', 'null'],
    ]);
  });
});

describe('the address of the audit', () => {
  test('is read as far as it can be asked for, and names that look like numbers stay names', () => {
    const search = auditSearch({ who: 123, project: true, result: 'failed', from: '5', act: 7, other: 'x' });
    expect(search).toEqual({ who: '123', project: 'true', result: 'failed', from: 5, act: 7 });
    // Which act is open is no filter.
    expect(filterOf(search)).toEqual({ who: '123', project: 'true', result: 'failed', from: 5 });
  });

  test('says nothing that could not be meant', () => {
    expect(auditSearch({ who: { a: 1 }, result: 'never', from: 'yesterday', to: -1, act: 1.5, operation: '' })).toEqual(
      {},
    );
  });
});

test('operations read as words, those that nobody knows yet, too', () => {
  expect(operationInWords('setSecrets')).toBe('Set secrets');
  expect(operationInWords('<b>')).toBe('<b>');
  expect(OPERATIONS.find(({ id }) => id === 'deploy')).toEqual({ id: 'deploy', words: 'Deploy' });
  expect(OPERATIONS.some(({ id }) => id === 'getStatus')).toBe(false);
});
