import type { RolloutEvent } from '../../api/contract/rollouts.ts';
import type { FollowState } from './state.ts';

/** How a rollout is shown while it is followed. */
export interface Display {
  /** After `event` was taken into `state`. */
  event(event: RolloutEvent, state: FollowState): void;
  /** The controller has not answered for so many ms (said again as it grows); 0: it answers again. */
  silent(ms: number): void;
  /** Leaves the terminal as it should be. Idempotent. */
  end(): void;
}
