import { describe, expect, it } from 'vitest';
import type { EndReason, InstanceObservation } from '../../src/domain/instance/instance.ts';
import { backoff, type CopyHealth, supervise, SUPERVISE } from '../../src/domain/instance/supervise.ts';
import { second } from '../support/rollout/builders.ts';

const NOW = 1_000_000;
const crash: EndReason = { kind: 'exit', code: 1 };

const copy = (index: number, generation: number, over: Partial<InstanceObservation> = {}): InstanceObservation => ({
  id: `api@1.${index}.${generation}`,
  service: 'api',
  release: 'api@1',
  index,
  generation,
  port: 20_000,
  state: 'running',
  pid: 77,
  startedAt: NOW - 10 * second,
  endedAt: null,
  end: null,
  stopRequested: false,
  usage: null,
  ...over,
});
/** Ended after `lived` ms, so many ms ago. */
const ended = (
  generation: number,
  ago: number,
  over: Partial<InstanceObservation> = {},
  lived = second,
): InstanceObservation =>
  copy(0, generation, { state: 'ended', startedAt: NOW - ago - lived, endedAt: NOW - ago, end: crash, ...over });
const crashes = (count: number, ago: number): InstanceObservation[] =>
  Array.from({ length: count }, (_, index) => ended(index, ago + (count - 1 - index) * 2 * second));
const ill = (since: number, over: Partial<CopyHealth> = {}): CopyHealth => ({
  healthy: false,
  since,
  everHealthy: true,
  lastError: null,
  ...over,
});

const of = (observed: InstanceObservation[], wanted = 1, health: Record<string, CopyHealth> = {}) =>
  supervise({ wanted, observed, health: (id) => health[id] ?? null, now: NOW });

describe('supervision', () => {
  it('starts every copy that is missing', () => {
    expect(of([copy(0, 0)], 3).actions).toEqual([
      { kind: 'start', index: 1, generation: 0, reason: 'wanted' },
      { kind: 'start', index: 2, generation: 0, reason: 'wanted' },
    ]);
  });

  it('leaves alone what runs and what is being stopped', () => {
    expect(of([copy(0, 0), copy(1, 0, { state: 'stopping' })], 2)).toEqual({
      actions: [],
      failure: null,
      wakeAt: null,
    });
  });

  it('stops copies beyond the number, and forgets those that ended', () => {
    expect(of([copy(0, 0), copy(1, 0), copy(2, 0, { state: 'ended', endedAt: NOW })]).actions).toEqual([
      { kind: 'stop', id: 'api@1.1.0', reason: 'not wanted any more' },
      { kind: 'remove', id: 'api@1.2.0' },
    ]);
  });

  it('starts one that ended again at once, the first time', () => {
    expect(of([ended(0, 0)]).actions).toEqual([
      { kind: 'start', index: 0, generation: 1, reason: 'restart after exit code 1' },
    ]);
  });

  it('waits longer from crash to crash', () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((count) => backoff(count, SUPERVISE))).toEqual([
      0, 0, 500, 1000, 2000, 4000, 30_000,
    ]);
    expect(of(crashes(3, 0))).toMatchObject({ actions: [], wakeAt: NOW + second });
    expect(of(crashes(3, second)).actions).toMatchObject([{ kind: 'start', generation: 3 }]);
  });

  it('calls four crashes in a row a failure, and goes on trying', () => {
    expect(of(crashes(3, 0)).failure).toBeNull();
    const { failure, wakeAt } = of(crashes(4, 0));
    expect(failure).toBe('it ended 4 times in a row: exit code 1');
    expect(wakeAt).toBe(NOW + 2 * second);
  });

  it.each<[string, InstanceObservation]>([
    ['stayed up for a minute', ended(0, 6 * second, {}, 60 * second)],
    ['was asked to stop', ended(0, 6 * second, { stopRequested: true })],
    ['went with a reboot', ended(0, 6 * second, { end: { kind: 'unknown', detail: 'the machine was rebooted' } })],
  ])('does not count one that %s', (_, first) => {
    expect(
      of([first, ...crashes(3, 0).map((each) => ({ ...each, generation: each.generation + 1 }))]).failure,
    ).toBeNull();
  });

  it('says at once why one could not be started', () => {
    const { failure } = of([ended(0, 0, { end: { kind: 'start-failed', detail: 'no such file: dist/main.js' } })]);
    expect(failure).toBe('it could not be started: no such file: dist/main.js');
  });

  it('starts again after a clock that was set back by a day', () => {
    const future = copy(0, 3, {
      state: 'ended',
      startedAt: NOW + 86_000 * second,
      endedAt: NOW + 86_001 * second,
      end: crash,
    });
    expect(of([...crashes(3, 0).map((each) => ({ ...each, endedAt: NOW + second })), future]).actions).toMatchObject([
      { kind: 'start', generation: 4 },
    ]);
  });

  it('starts one anew that runs and is not healthy for its deadline', () => {
    const old = copy(0, 0, { startedAt: NOW - 600 * second });
    const since = NOW - 60 * second;
    expect(of([old], 1, { [old.id]: ill(since, { lastError: 'timeout' }) })).toMatchObject({
      actions: [{ kind: 'stop', id: old.id, reason: 'not healthy for 60 s (timeout)' }],
      failure: null,
    });
    expect(of([old], 1, { [old.id]: ill(since + second) })).toMatchObject({ actions: [], wakeAt: NOW + second });
  });

  it('starts one that hangs anew after a clock that was set back', () => {
    const future = copy(0, 0, { startedAt: NOW + 86_000 * second });
    expect(of([future], 1, { [future.id]: ill(NOW - 60 * second) }).actions).toMatchObject([{ kind: 'stop' }]);
  });

  it('fails a release that was never healthy in time, and measures from its start', () => {
    const late = copy(0, 0, { startedAt: NOW - 60 * second });
    expect(of([late], 1, { [late.id]: ill(0, { everHealthy: false }) }).failure).toBe('not healthy for 60 s');
    const young = copy(0, 0, { startedAt: NOW - second });
    expect(of([young], 1, { [young.id]: ill(0, { everHealthy: false }) })).toMatchObject({
      failure: null,
      wakeAt: NOW + 59 * second,
    });
  });

  it('stops one unhealthy copy at a time, and the next only when the first is gone', () => {
    const copies = [0, 1].map((index) => copy(index, 0, { startedAt: NOW - 600 * second }));
    const health = Object.fromEntries(copies.map((each) => [each.id, ill(NOW - 90 * second)]));
    expect(of(copies, 2, health).actions).toMatchObject([{ kind: 'stop', id: 'api@1.0.0' }]);
    const stopping = copies.map((each) => (each.index === 0 ? { ...each, state: 'stopping' as const } : each));
    expect(of(stopping, 2, health).actions).toEqual([]);
  });

  it('says nothing of a copy whose health nobody knows', () => {
    expect(of([copy(0, 0, { startedAt: 0 })])).toEqual({ actions: [], failure: null, wakeAt: null });
  });

  it('keeps a few ends to count, and forgets the older ones', () => {
    const removed = of(crashes(9, 0)).actions.filter((each) => each.kind === 'remove');
    expect(removed.map((each) => each.id)).toEqual(['api@1.0.2', 'api@1.0.1', 'api@1.0.0']);
  });
});
