import { expect, test } from 'vitest';
import { readRollout, rolloutColumns } from '../../src/store/rows/rollout.ts';
import { aPart, aRollout } from '../support/rollout/builders.ts';

/** What evenkeel 0.1 stored of a rollout, without what was added since. */
const ADDED = ['contract', 'allowsBreaking'];

test('a rollout that was stored before there were contracts is read as one that has none', () => {
  const rollout = aRollout({ services: [aPart('api')] });
  const columns = rolloutColumns(rollout);
  const state = JSON.parse(columns.state) as { services: Record<string, unknown>[] } & Record<string, unknown>;
  for (const name of ADDED) {
    expect(state).toHaveProperty(name);
    delete state[name];
  }
  for (const part of state.services) delete part['contracts'];
  expect(readRollout({ ...columns, state: JSON.stringify(state) })).toEqual(rollout);
});
