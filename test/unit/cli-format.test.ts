import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatPercent,
  formatRate,
  formatShare,
  formatTimeLeft,
} from '../../src/lib/format.ts';

describe('numbers read the same everywhere', () => {
  test.each([
    [0, '0 ms'],
    [84.4, '84 ms'],
    [999.6, '1.0 s'],
    [4_230, '4.2 s'],
    [9_970, '10 s'],
    [59_700, '1m'],
    [90_000, '1m 30s'],
    [3_599_800, '1h'],
    [7_500_000, '2h 5m'],
    [86_400_000, '1d'],
    [273_600_000, '3d 4h'],
    [-5, '0 ms'],
  ])('a duration of %d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  test('time left counts down in whole seconds and never below none', () => {
    expect([408_000, 1_001, 1, 0, -9].map(formatTimeLeft)).toEqual(['6m 48s', '2 s', '1 s', '0 s', '0 s']);
  });

  test('a small share is told from none', () => {
    expect([0, 0.00001, 0.0012, 0.048, 1].map(formatShare)).toEqual(['0 %', '< 0.01 %', '0.12 %', '4.8 %', '100 %']);
    expect(formatPercent(10)).toBe('10 %');
  });

  test('latencies, rates, sizes and counts have their units', () => {
    expect([0.42, 118.3, 1_250].map(formatLatency)).toEqual(['0.4 ms', '118 ms', '1.25 s']);
    expect([0, 12.54, 1204].map(formatRate)).toEqual(['0/s', '12.5/s', '1,204/s']);
    expect([512, 1536, 100_663_296].map(formatBytes)).toEqual(['512 B', '1.5 KiB', '96 MiB']);
    expect(formatCount(1_234_567)).toBe('1,234,567');
  });
});
