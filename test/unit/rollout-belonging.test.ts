import { describe, expect, it } from 'vitest';
import { belongingTo } from '../../src/domain/rollout/belonging.ts';
import type { Phase, Rollout } from '../../src/domain/rollout/rollout.ts';
import { aPart, aRollout } from '../support/rollout/builders.ts';

const web = (number: number) => ({ service: 'web', release: `web@${number}` });
const at = (phase: Phase, over: Partial<Rollout> = {}): Rollout =>
  aRollout({ phase, services: [aPart('web'), aPart('api')], ...over });

describe('who answers whom', () => {
  it.each<[string, Rollout[], string | null, string | null]>([
    ['without a rollout: by weight', [], null, null],
    ['before the new one is verified: the former one its own', [at('verifying')], 'api@1', null],
    ['once it is verified: each side its own', [at('verifying', { verified: ['api'] })], 'api@1', 'api@2'],
    ['in the canary', [at('canary')], 'api@1', 'api@2'],
    ['in the window, for what is left of the former one', [at('watching')], 'api@1', 'api@2'],
    ['after a failure: by weight', [at('canary', { end: 'failed' })], null, null],
    ['of a rollout of one of them alone: by weight', [at('canary', { services: [aPart('api')] })], null, null],
    [
      'when the other one does not change',
      [at('canary', { services: [aPart('web'), aPart('api', { to: 'api@1' })] })],
      null,
      null,
    ],
    [
      'when it is new: only the new one has it',
      [at('canary', { services: [aPart('web'), aPart('api', { from: null })] })],
      null,
      'api@2',
    ],
  ])('%s', (_, rollouts, former, next) => {
    expect(belongingTo(web(1), 'api', rollouts)).toBe(former);
    expect(belongingTo(web(2), 'api', rollouts)).toBe(next);
    // Nobody of the rollout's own.
    expect(belongingTo({ service: 'mail', release: 'mail@1' }, 'api', rollouts)).toBeNull();
  });

  it('follows the rollout that supersedes one in its window', () => {
    const window = at('watching', { id: 'r1' });
    const next = at('canary', {
      id: 'r2',
      createdAt: window.createdAt + 1,
      services: [aPart('web', { from: 'web@2', to: 'web@3' }), aPart('api', { from: 'api@2', to: 'api@3' })],
    });
    const release = (number: number) => belongingTo(web(number), 'api', [window, next]);
    expect([release(1), release(2), release(3)]).toEqual([null, 'api@2', 'api@3']);
  });

  it('is the former one again for who is taken back to it', () => {
    const back = at('canary', {
      kind: 'rollback',
      services: [aPart('web', { from: 'web@2', to: 'web@1' }), aPart('api', { from: 'api@2', to: 'api@1' })],
    });
    expect(belongingTo(web(1), 'api', [back])).toBe('api@1');
    expect(belongingTo(web(2), 'api', [back])).toBe('api@2');
  });
});
