import { expect, test } from 'vitest';
import { controllerCount } from '../../src/keeper/controller-count.ts';

const DATABASE = { EVENKEEL_DATABASE_URL: 'postgres://somewhere/evenkeel' };

test('there is one controller, unless more are asked for', () => {
  expect(controllerCount({})).toEqual({ ok: true, count: 1 });
  expect(controllerCount(DATABASE)).toEqual({ ok: true, count: 1 });
  expect(controllerCount({ ...DATABASE, EVENKEEL_CONTROLLERS: '3' })).toEqual({ ok: true, count: 3 });
});

test.each(['0', '-1', '2.5', 'two', '6', 'Infinity'])('%s is no number of controllers', (text) => {
  expect(controllerCount({ ...DATABASE, EVENKEEL_CONTROLLERS: text })).toMatchObject({
    ok: false,
    why: expect.stringContaining('1 to 5'),
  });
});

test('several need a store that says which of them acts', () => {
  expect(controllerCount({ EVENKEEL_CONTROLLERS: '2' })).toMatchObject({
    ok: false,
    why: expect.stringContaining('EVENKEEL_DATABASE_URL'),
  });
  expect(controllerCount({ EVENKEEL_CONTROLLERS: '1' })).toEqual({ ok: true, count: 1 });
});
