import type { JournalView, RolloutEvent, RolloutView } from '../../api/contract/rollouts.ts';

export interface OutputLine {
  job: string;
  service: string;
  line: string;
}

/** What is known of a rollout from its events so far. */
export interface FollowState {
  rollout: RolloutView | null;
  entries: readonly JournalView[];
  /** The last lines that jobs wrote. */
  output: readonly OutputLine[];
}

export const NOTHING_YET: FollowState = { rollout: null, entries: [], output: [] };

const KEPT_LINES = 50;

/** The state after one more event. An entry that is known already changes nothing. */
export function advance(state: FollowState, event: RolloutEvent): FollowState {
  switch (event.type) {
    case 'rollout':
      return { ...state, rollout: event.rollout };
    case 'journal':
      if (event.entry.seq <= lastSeq(state)) return state;
      return { ...state, entries: [...state.entries, event.entry] };
    case 'output': {
      const { job, service, line } = event;
      return { ...state, output: [...state.output, { job, service, line }].slice(-KEPT_LINES) };
    }
  }
}

export const lastSeq = (state: FollowState): number => state.entries.at(-1)?.seq ?? 0;
