import type { RolloutView } from '../../api/contract/rollouts.ts';
import type { Context } from '../context.ts';
import type { Display } from './display.ts';
import { rolloutEvents } from './events.ts';
import { jsonDisplay } from './json-display.ts';
import { linesDisplay } from './lines-display.ts';
import { liveDisplay } from './live-display.ts';
import { type Outcome, outcomeOf, type Until } from './outcome.ts';
import { advance, NOTHING_YET } from './state.ts';

export interface FollowOptions {
  until: Until;
  /** A pause ends it: a person must decide, and this one may be a program. */
  leaveOnPause: boolean;
}

export type Followed = { kind: 'over'; outcome: Outcome; rollout: RolloutView } | { kind: 'detached' };

/** Shows a rollout while it goes on, until it came to something or Ctrl-C leaves it to itself. */
export async function follow(context: Context, id: string, { until, leaveOnPause }: FollowOptions): Promise<Followed> {
  const { interrupt } = context;
  const display = displayFor(context);
  let state = NOTHING_YET;
  try {
    const onSilent = (ms: number): void => display.silent(ms);
    for await (const event of rolloutEvents(context, id, { signal: interrupt.signal, onSilent })) {
      const next = advance(state, event);
      if (next === state) continue;
      state = next;
      display.event(event, state);
      const outcome = event.type === 'rollout' ? outcomeOf(event.rollout, until, leaveOnPause) : null;
      if (outcome !== null && event.type === 'rollout') return { kind: 'over', outcome, rollout: event.rollout };
    }
  } finally {
    display.end();
  }
  if (interrupt.signal.aborted) return { kind: 'detached' };
  // The stream says that it is over, and shows it only to who asked for more than there is.
  const rollout = await (await context.client()).getRollout({ rollout: id });
  const outcome = outcomeOf({ ...rollout, settled: true }, until, true) ?? { kind: 'paused', exit: 3 };
  return { kind: 'over', outcome, rollout };
}

function displayFor(context: Context): Display {
  const { out } = context;
  if (out.json) return jsonDisplay(out);
  return out.terminal ? liveDisplay(context) : linesDisplay(context);
}
