import { expect, test } from 'vitest';
import { CounterBook } from '../../src/edge/stats/counters.ts';

test('the release that serves keeps its counts however many others came and failed after it', () => {
  const book = new CounterBook();
  const serving = book.release('shop/production/api', 'api@1');
  serving.requests = 7;
  for (let number = 2; number <= 60; number++) {
    // A table names what serves and what is new.
    expect(book.release('shop/production/api', 'api@1')).toBe(serving);
    book.release('shop/production/api', `api@${number}`);
  }
  const counts = book.toCounts().releases;
  expect(counts.find((each) => each.release === 'api@1')?.requests).toBe(7);
  expect(counts.length).toBeLessThan(30);
});
