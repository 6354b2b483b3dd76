import { expect, it } from 'vitest';
import type { Deployment } from '../../src/domain/release/release.ts';
import { isSuperseded } from '../../src/domain/rollout/superseded.ts';
import { aPart, aRollout } from '../support/rollout/builders.ts';

const serving = (current: string | null): Deployment[] => [
  {
    project: 'chat',
    environment: 'production',
    service: 'api',
    current,
    former: null,
    contracted: null,
    internalPort: null,
    previewPort: null,
  },
];
const ended = aRollout({ end: 'aborted', services: [aPart('api', { from: 'api@1', to: 'api@2' })] });

it('sees a newer rollout that was over before this one has settled by what it left', () => {
  expect(isSuperseded(ended, [ended], serving('api@1'))).toBe(false);
  expect(isSuperseded(ended, [ended], serving('api@3'))).toBe(true);
  // What serves nothing leads nowhere, and one that goes on is not given up for what serves.
  expect(isSuperseded(ended, [ended], serving(null))).toBe(false);
  expect(isSuperseded({ ...ended, end: null }, [], serving('api@3'))).toBe(false);
});
