import { describe, expect, test, vi } from 'vitest';
import type { JournalView, RolloutView } from '../../src/api/contract/rollouts.ts';
import type { VerdictView } from '../../src/api/contract/verdict.ts';
import { frame } from '../../src/cli/follow/frame.ts';
import { linesDisplay, progress } from '../../src/cli/follow/lines-display.ts';
import { outcomeOf } from '../../src/cli/follow/outcome.ts';
import { advance, NOTHING_YET } from '../../src/cli/follow/state.ts';
import { createOutput } from '../../src/cli/output.ts';
import { createStyle } from '../../src/cli/screen/style.ts';
import { storyLines } from '../../src/cli/show-story.ts';
import { rolloutView } from '../fixtures/cli/stand-in-api.ts';

const NOW = 1_800_000_000_000;
const style = createStyle({ color: false, unicode: true });
const options = { style, columns: 100, tick: 0, now: NOW, silentMs: 0 };

const verdict: VerdictView = {
  verdict: 'inconclusive',
  reason: 'The step goes on.',
  test: 'owner',
  metrics: [
    {
      metric: 'errors',
      unit: 'rate',
      canary: 0.048,
      baseline: 0.001,
      canaryRange: { low: 0.03, high: 0.07 },
      baselineRange: null,
      limit: 0.01,
      progress: 0.52,
      state: 'hold',
    },
    {
      metric: 'p95',
      unit: 'ms',
      canary: 118,
      baseline: 121,
      canaryRange: null,
      baselineRange: null,
      limit: 1000,
      progress: 0,
      state: 'ok',
    },
  ],
  canaryRequests: 105,
  baselineRequests: 945,
  neededRequests: 43,
  detectable: 0.12,
};

function entries(...phases: [string, number][]): JournalView[] {
  return phases.map(([to, seconds], index) => ({
    seq: index + 1,
    at: NOW - 60_000 + seconds * 1000,
    from: phases[index - 1]?.[0] ?? null,
    to,
    reason: `now ${to}`,
    detail: {},
  }));
}

function inCanary(change: Partial<RolloutView> = {}): RolloutView {
  const rollout = rolloutView({ phase: 'canary', createdAt: NOW - 60_000, nextAt: NOW + 408_000 });
  return {
    ...rollout,
    canary: { ...rollout.canary, weight: 10 },
    services: rollout.services.map((each) => ({ ...each, verdict })),
    ...change,
  };
}

const story = entries(
  ['pending', 0],
  ['building', 0],
  ['starting', 4],
  ['migrating', 5],
  ['verifying', 5],
  ['canary', 8],
);

describe('what is shown of a rollout', () => {
  test('the phases with their times, and what is to come', () => {
    const text = frame({ rollout: inCanary(), entries: story, output: [] }, options).join('\n');
    expect(text).toContain('✔ build 4.0 s  ✔ start 1.0 s  ✔ migrate  ✔ verify 3.0 s');
    expect(text).toContain('canary 52 s');
    expect(text).toContain('○ promote  ○ watch');
  });

  test('the canary beside the baseline, what was seen and is still needed, the time left', () => {
    const text = frame({ rollout: inCanary(), entries: story, output: [] }, options).join('\n');
    expect(text).toMatch(/███░+ 10 % of sessions, step 1 of 2, 6m 48s left/);
    expect(text).toMatch(/errors +4\.8 % +0\.1 % +1 % +█████░░░░░ over its limit, not proven/);
    expect(text).toMatch(/p95 +118 ms +121 ms +1 s/);
    expect(text).toContain('105 canary requests seen beside 945 of the baseline, about 43 more needed');
  });

  test('a rollout without a canary does not promise one', () => {
    const first = inCanary({
      phase: 'verifying',
      services: rolloutView().services.map((each) => ({ ...each, from: null })),
    });
    expect(frame({ rollout: first, entries: story, output: [] }, options).join('\n')).not.toContain('canary');
  });

  test('many services are one line each', () => {
    const services = ['api', 'web', 'ws', 'model'].map((service) => ({
      ...inCanary().services[0]!,
      service,
      to: `${service}@2`,
    }));
    const lines = frame({ rollout: inCanary({ services }), entries: story, output: [] }, options);
    expect(lines.filter((line) => /^ {2}(api|web|ws|model) /.test(line))).toHaveLength(4);
  });

  test('only the output of the phase that it is in', () => {
    const output = [
      { job: 'r.build.api', service: 'api', line: 'compiled' },
      { job: 'r.migrate.api', service: 'api', line: 'added a column' },
    ];
    const text = frame({ rollout: inCanary({ phase: 'migrating' }), entries: story, output }, options).join('\n');
    expect(text).toContain('added a column');
    expect(text).not.toContain('compiled');
  });

  test('no line is wider than the screen', () => {
    for (const columns of [64, 80, 100]) {
      const lines = frame({ rollout: inCanary(), entries: story, output: [] }, { ...options, columns });
      for (const line of lines.filter((each) => !each.includes('01k9')))
        expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  test('on a narrow screen the time left and the state of each metric can still be read', () => {
    const lines = frame({ rollout: inCanary(), entries: story, output: [] }, { ...options, columns: 40 });
    const text = lines.join('\n');
    expect(text).toContain('step 1 of 2, 6m 48s left');
    expect(text).toMatch(/p95 .* ok/);
    for (const line of lines.filter((each) => !each.includes('01k9'))) expect(line.length).toBeLessThanOrEqual(40);
  });

  test('a metric without a value is not called ok', () => {
    const unmeasured = { ...verdict, metrics: verdict.metrics.map((each) => ({ ...each, canary: null })) };
    const services = inCanary().services.map((each) => ({ ...each, verdict: unmeasured }));
    const text = frame({ rollout: inCanary({ services }), entries: story, output: [] }, options).join('\n');
    expect(text).toMatch(/p95 +- +121 ms +1 s +░+ not measured yet/);
  });

  test('the first release is not said to have a window to go back in', () => {
    const services = rolloutView().services.map((each) => ({ ...each, from: null }));
    const first = inCanary({ phase: 'watching', services });
    const text = frame({ rollout: first, entries: story, output: [] }, options).join('\n');
    expect(text).toContain('has all traffic');
    expect(text).not.toContain('rollback');
  });

  test('a controller that is away is mentioned after five seconds, not before', () => {
    const state = { rollout: inCanary(), entries: story, output: [] };
    expect(frame(state, { ...options, silentMs: 4_900 }).join('\n')).not.toContain('has not answered');
    expect(frame(state, { ...options, silentMs: 7_000 }).join('\n')).toContain('has not answered for 7.0 s');
  });

  test('a log says now and then that it goes on, also when nothing changes', () => {
    vi.useFakeTimers({ now: NOW });
    const lines: string[] = [];
    const out = createOutput(
      { stdout: { write: (text) => lines.push(text) }, stderr: { write: () => {} }, env: {} },
      {
        json: false,
        color: false,
      },
    );
    const display = linesDisplay({ deps: { now: () => Date.now() }, out });
    try {
      const rollout = inCanary();
      display.event({ type: 'rollout', rollout }, { ...NOTHING_YET, rollout });
      vi.advanceTimersByTime(29_000);
      expect(lines).toHaveLength(1);
      vi.advanceTimersByTime(2_000);
      expect(lines[1]).toContain('10 % of sessions, step 1 of 2');
      vi.advanceTimersByTime(60_000);
      expect(lines).toHaveLength(4);
    } finally {
      display.end();
      vi.useRealTimers();
    }
  });

  test('in the cloud it speaks of requests, which is what it shares out', () => {
    const rollout = inCanary();
    const away = { ...rollout, canary: { ...rollout.canary, of: 'requests' as const } };
    expect(progress(away, NOW)).toContain('10 % of requests, step 1 of 2');
  });

  test('in a log, how far it is in one line', () => {
    expect(progress(inCanary(), NOW)).toBe(
      '10 % of sessions, step 1 of 2, 6m 48s left; api: 105 canary requests seen beside 945 of the baseline, about 43 more needed; would have caught 12 % errors; errors 4.8 % (baseline 0.1 %, limit 1 %), p95 118 ms (baseline 121 ms, limit 1 s)',
    );
  });
});

describe('what a rollout came to', () => {
  test.each([
    ['promoted, for who waits for that', { phase: 'watching', promotedAt: NOW }, 'promoted', 0],
    ['a pause needs a person', { paused: { reason: 'approval', since: NOW, detail: '' } }, 'paused', 3],
    ['taken back', { end: 'failed', settled: true }, 'failed', 2],
    ['aborted', { end: 'aborted', settled: true }, 'aborted', 2],
  ] as const)('%s', (_, change, kind, exit) => {
    expect(outcomeOf(inCanary(change), 'promoted', true)).toEqual({ kind, exit });
  });

  test('taking back counts once it is done', () => {
    expect(outcomeOf(inCanary({ end: 'failed', settled: false }), 'promoted', true)).toBeNull();
  });

  test('who waits for completion is not answered at promotion', () => {
    expect(outcomeOf(inCanary({ phase: 'watching', promotedAt: NOW }), 'complete', true)).toBeNull();
    expect(outcomeOf(inCanary({ end: 'complete' }), 'complete', true)).toEqual({ kind: 'complete', exit: 0 });
  });
});

test('an entry of the journal that comes again changes nothing', () => {
  const [entry] = story;
  const once = advance(NOTHING_YET, { type: 'journal', entry: entry! });
  expect(advance(once, { type: 'journal', entry: entry! })).toBe(once);
});

test('the story reads from the first entry to how it ended', () => {
  const rollout = inCanary({ end: 'failed', settled: true, endedAt: NOW });
  const lines = storyLines(
    rollout,
    [...story, { ...story[0]!, seq: 7, from: 'canary', to: 'failed', reason: 'errors 4.8 %' }],
    { style, columns: 80 },
  );
  expect(lines[0]).toBe('api@42 (v1.6.0) in the place of api@41, chat in development');
  expect(lines.join('\n')).toMatch(/canary +now canary\.\n.*failed +errors 4\.8 %\./);
  expect(lines.at(-1)).toBe('It failed after 1m, before it was promoted.');
});
