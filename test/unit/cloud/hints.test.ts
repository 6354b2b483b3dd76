import { expect, test } from 'vitest';
import { hinted, hintsFor, withHints } from '../../../src/cli/cloud/hints.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';

const emulated = hintsFor({ emulate: true, environment: 'staging' });

test.each([
  ['evenkeel cloud status', 'evenkeel cloud --emulate status --env staging'],
  ['evenkeel cloud setup --only budget', 'evenkeel cloud --emulate setup --only budget --env staging'],
  ['evenkeel deploy', 'evenkeel cloud --emulate deploy --env staging'],
  ['evenkeel cloud --emulate plan', 'evenkeel cloud --emulate plan --env staging'],
  ['evenkeel cloud cleanup --env production', 'evenkeel cloud --emulate cleanup --env production'],
  [
    'did you mean x? `evenkeel cloud list` shows all',
    'did you mean x? `evenkeel cloud --emulate list --env staging` shows all',
  ],
  [
    '`evenkeel cloud status`; then `evenkeel deploy`',
    '`evenkeel cloud --emulate status --env staging`; then `evenkeel cloud --emulate deploy --env staging`',
  ],
  ['one\nevenkeel cloud start\ntwo', 'one\nevenkeel cloud --emulate start --env staging\ntwo'],
  ['evenkeel cloud emulator stop', 'evenkeel cloud emulator stop'],
  ['evenkeel server stop; then the same again', 'evenkeel server stop; then the same again'],
  ['what evenkeel deploys, and where', 'what evenkeel deploys, and where'],
])('%s is typed as %s', (plain, typed) => {
  expect(emulated(plain)).toBe(typed);
  expect(emulated(typed)).toBe(typed);
});

test('what was not typed is not asked for', () => {
  const plain = hintsFor({ emulate: false, environment: null });
  expect(plain('evenkeel cloud status; `evenkeel deploy`')).toBe('evenkeel cloud status; `evenkeel deploy`');
  const there = hintsFor({ emulate: false, environment: 'staging' });
  expect(there('evenkeel deploy')).toBe('evenkeel deploy --env staging');
});

test('documents are told whole, and errors stay what they are', async () => {
  const document = { next: [{ command: 'evenkeel cloud cost', means: 'price' }], count: 1, none: null };
  expect(hinted(document, emulated)).toEqual({
    next: [{ command: 'evenkeel cloud --emulate cost --env staging', means: 'price' }],
    count: 1,
    none: null,
  });
  const error = new EvenkeelError({
    code: 'cloud-api-disabled',
    what: 'the API run is off',
    why: 'why',
    next: 'evenkeel cloud enable',
    retryable: true,
    exit: 2,
  });
  const told = await withHints(() => Promise.reject(error), emulated).catch((thrown: unknown) => thrown);
  expect(told).toMatchObject({
    code: 'cloud-api-disabled',
    message: 'the API run is off',
    why: 'why',
    next: 'evenkeel cloud --emulate enable --env staging',
    retryable: true,
    exit: 2,
    cause: error,
  });
});
