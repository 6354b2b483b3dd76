import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/rollout/decide.ts';
import { behindContract } from '../../src/domain/rollout/past-contract.ts';
import type { RequestKind, Rollout } from '../../src/domain/rollout/rollout.ts';
import { aPart, aRelease, aRollout, ask, minute, seenOf, START, work } from '../support/rollout/builders.ts';

const NOW = START + minute;
const contracting = (over: Partial<Rollout> = {}): Rollout =>
  aRollout({ phase: 'contracting', services: [aPart('api', { contracts: true })], verified: ['api'], ...over });
const begun = (over: Partial<Rollout> = {}): Rollout => contracting({ contract: { api: 'begun' }, ...over });
/** The new release is well and the former one gone. */
const alone = { to: aRelease({ weight: 100 }), from: null };
const seen = (rollout: Rollout, contract = work('absent'), over: Parameters<typeof seenOf>[2] = {}) =>
  seenOf(rollout, { api: { ...alone, contract } }, over);

describe('before its begin', () => {
  it('waits for the former release to stop, for the new one to be well, and for other changes of a database', () => {
    const rollout = contracting();
    const former = seenOf(rollout, { api: { ...alone, from: aRelease({ weight: 0 }) } });
    expect(decide(rollout, former, NOW).reason).toContain('waiting for api@1 to stop');
    const sick = seenOf(rollout, { api: { ...alone, to: aRelease({ healthy: 0 }) } });
    expect(decide(rollout, sick, NOW).reason).toContain('waiting for a healthy instance of api@2');
    const busy = seen(rollout, work('absent'), { schemaBusy: 'the migration of rollout r2' });
    expect(decide(rollout, busy, NOW).reason).toContain('waiting for the migration of rollout r2');
  });

  it('writes the begin down before it begins', () => {
    const decision = decide(contracting(), seen(contracting()), NOW);
    expect(decision).toMatchObject({ next: { contract: { api: 'begun' } }, actions: [] });
    expect(decide(begun(), seen(begun()), NOW).actions).toEqual([{ kind: 'contract', service: 'api', attempt: 1 }]);
  });

  it('gives way to a newer rollout, and after it does not', () => {
    const superseded = { superseded: true };
    expect(decide(contracting(), seen(contracting(), work('absent'), superseded), NOW)).toMatchObject({
      next: { end: 'complete' },
      reason: expect.stringContaining('the contract of api@2 has not begun'),
    });
    expect(decide(begun(), seen(begun(), work('absent'), superseded), NOW).actions).toHaveLength(1);
    expect(decide(begun(), seen(begun(), work('running'), superseded), NOW).next.end).toBe(null);
  });
});

describe('people', () => {
  const takers: RequestKind[] = ['abort', 'rollback', 'reject', 'supersede'];

  it.each(takers)('%s leaves what has not begun, and nothing is taken back', (kind) => {
    const { next, reason } = decide(contracting(), seen(contracting(), work('absent'), { requests: [ask(kind)] }), NOW);
    expect(next.end).toBe('complete');
    expect(reason).toContain('has not begun');
  });

  it.each(takers)('%s waits for what runs, and forced it does not', (kind) => {
    const rollout = begun();
    const running = work('running');
    const waits = decide(rollout, seen(rollout, running, { requests: [ask(kind)] }), NOW);
    expect(waits.next.end).toBe(null);
    expect(waits.reason).toContain('waits for the contract of api@2 to end');
    const forced = decide(rollout, seen(rollout, running, { requests: [ask(kind, { force: true })] }), NOW);
    expect(forced.next).toMatchObject({ end: 'complete', settled: false });
    // What was left running is stopped before it is called over.
    const settling = decide(forced.next, seen(forced.next, running), NOW);
    expect(settling).toMatchObject({
      next: { settled: false },
      actions: [{ kind: 'cancel-work', service: 'api', migrations: true }],
    });
  });

  it('cannot repeat what is still being stopped', () => {
    const paused = { reason: 'contract' as const, since: NOW, detail: 'it took too long' };
    const rollout = begun({ paused });
    for (const kind of ['resume', 'promote'] as const) {
      const { next, reason } = decide(rollout, seen(rollout, work('running'), { requests: [ask(kind)] }), NOW);
      expect(next).toMatchObject({ paused, attempts: {}, waived: [] });
      expect(reason).toContain('still being stopped');
    }
  });

  it.each(['pause', 'approve'] as const)('%s has no effect', (kind) => {
    const { next, reason } = decide(begun(), seen(begun(), work('running'), { requests: [ask(kind)] }), NOW);
    expect(next.paused).toBe(null);
    expect(reason).toContain('has no effect');
  });
});

describe('several services', () => {
  it('are contracted one at a time, and what fails holds the others', () => {
    const services = [aPart('api', { contracts: true }), aPart('web', { contracts: true })];
    const rollout = contracting({ services, contract: { api: 'begun' } });
    const both = (api: 'running' | 'done' | 'failed') =>
      seenOf(rollout, { api: { ...alone, contract: work(api) }, web: alone });
    expect(decide(rollout, both('running'), NOW).actions).toEqual([]);
    expect(decide(rollout, both('done'), NOW).next.contract).toEqual({ api: 'done', web: 'begun' });
    expect(decide(rollout, both('failed'), NOW).next).toMatchObject({
      paused: { reason: 'contract' },
      contract: { api: 'failed' },
    });
  });
});

describe('the way back', () => {
  it('ends at the release whose contract has begun, by number and not by name', () => {
    expect(behindContract('api@9', { contracted: 'api@10' })).toBe('api@10');
    expect(behindContract('api@10', { contracted: 'api@10' })).toBe(null);
    expect(behindContract('api@11', { contracted: 'api@10' })).toBe(null);
    expect(behindContract('api@1', { contracted: null })).toBe(null);
  });

  it('is closed for a rollback that was created in the moment of the begin', () => {
    const rollout = aRollout({ kind: 'rollback' });
    const why = 'api@1 is older than api@2, whose contract took away what only older releases needed';
    expect(decide(rollout, seenOf(rollout, {}, { pastContract: why }), NOW).next).toMatchObject({
      end: 'failed',
      reason: why,
    });
  });
});
