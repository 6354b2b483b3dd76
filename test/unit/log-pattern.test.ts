import { expect, test } from 'vitest';
import { linePattern } from '../../src/api/routes/log-pattern.ts';

test.each([
  ['error|warn', 'a warning', 'all is well'],
  ['^GET /\\w+ 5\\d\\d$', 'GET /api 502', 'GET /api 200'],
  ['t(wo|hree)', 'two', 'one'],
  ['(?i)error', 'ERROR', 'fine'],
  ['caf\\u00e9|ß', 'café', 'cafe'],
  ['user=(?<id>\\d+)', 'user=42', 'user=x'],
])('%s', async (pattern, line, other) => {
  const wanted = await linePattern(pattern);
  expect([wanted(line), wanted(other)]).toEqual([true, false]);
});

test.each(['(a+)+$', '(a|a)+$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
  '%s, over which an engine that tries everything takes for ever, is soon done with',
  async (pattern) => {
    const wanted = await linePattern(pattern);
    expect(wanted(`${'a'.repeat(10_000)}!`)).toBe(false);
  },
);

test.each(['(', '[z-a]', '(?!health)', '(a)\\1', '((a{100}){100}){100}'])(
  '%s is refused, with what to do instead',
  async (pattern) => {
    await expect(linePattern(pattern)).rejects.toMatchObject({
      code: 'bad-pattern',
      message: expect.stringContaining(pattern),
      next: expect.stringContaining('look-aheads'),
    });
  },
);
