import type { Rollout } from '../../domain/rollout/rollout.ts';
import { Channel } from '../../lib/channel.ts';
import { WORK_KINDS, workId } from '../../engine/work-ids.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Sent } from '../call.ts';
import type { RolloutEvent } from '../contract/rollouts.ts';
import { journalView } from '../views/rollout-view.ts';
import { view } from '../views/current-rollout.ts';

/** A view is sent at most this often; journal lines are sent at once. */
const VIEW_EVERY_MS = 250;
const HEARTBEAT_MS = 5_000;

/**
 * The journal after `after`, then everything that happens, until the rollout is over and settled or the signal fires. The
 * number of a journal entry is what a client resumes after.
 */
export function rolloutEvents(
  deps: ApiDeps,
  rollout: Rollout,
  after: number,
  signal: AbortSignal,
): AsyncIterable<Sent<RolloutEvent>> {
  const channel = new Channel<Sent<RolloutEvent>>();
  const over = new AbortController();
  const gone = AbortSignal.any([signal, over.signal]);
  signal.addEventListener('abort', () => channel.close(), { once: true });
  // The store or the edge is away: the client connects again and goes on after the last entry that it has.
  void tell(deps, rollout, { after, gone, send: (event) => channel.send(event) })
    .catch(() => undefined)
    .finally(() => {
      over.abort();
      channel.close();
    });
  return channel;
}

interface Telling {
  after: number;
  gone: AbortSignal;
  send: (event: Sent<RolloutEvent>) => Promise<void>;
}

async function tell(deps: ApiDeps, rollout: Rollout, { after, gone, send }: Telling): Promise<void> {
  const { engine } = deps;
  const { store, clock } = engine.deps;
  const output = streamOutput(deps, rollout, gone, (data) => send({ data }));
  let seq = after;
  let shown = '';
  let lastSent = clock.now();
  let wake = new AbortController();
  const off = engine.onLook((scope) => {
    if (scope.project === rollout.project && scope.environment === rollout.environment) wake.abort();
  });
  try {
    while (!gone.aborted) {
      wake = new AbortController();
      const current = await store.rollout(rollout.id);
      if (current === null) break;
      // Before the journal: whoever leaves when it shows a pause or an end was told why.
      const now = await view(deps, current, true);
      for (const entry of await store.journal(rollout.id)) {
        if (entry.seq <= seq) continue;
        seq = entry.seq;
        // Whoever leaves at the promotion has seen what the jobs before it wrote.
        if (hasJobs(rollout) && WITH_JOBS.has(entry.from ?? '')) await output.caughtUp();
        await send({ id: String(seq), data: { type: 'journal', entry: journalView(entry) } });
        lastSent = clock.now();
      }
      const text = JSON.stringify(now);
      if (text !== shown) {
        shown = text;
        await send({ data: { type: 'rollout', rollout: now } });
        lastSent = clock.now();
      } else if (clock.now() - lastSent > HEARTBEAT_MS) {
        await send(null);
        lastSent = clock.now();
      }
      if (now.end !== null && now.settled) break;
      await clock.sleep(VIEW_EVERY_MS, gone);
      if (!gone.aborted) await clock.sleep(1_000, AbortSignal.any([wake.signal, gone]));
    }
  } finally {
    off();
  }
}

/** Phases in which jobs run. */
const WITH_JOBS: ReadonlySet<string> = new Set(['building', 'migrating', 'verifying', 'contracting']);
/** How long a journal line may wait for the output before it. */
const OUTPUT_MS = 2_000;

const hasJobs = ({ services }: Rollout): boolean =>
  services.some(
    ({ builds, migrates, smokes, checks, contracts }) => builds || migrates || smokes || checks || contracts,
  );

interface Output {
  /** Resolves when all has been sent that was written when it was called; at the latest after a moment. */
  caughtUp(): Promise<void>;
}

/** Sends lines of build, migration, smoke and check output as they are written. */
function streamOutput(
  deps: ApiDeps,
  rollout: Rollout,
  signal: AbortSignal,
  send: (event: RolloutEvent) => Promise<void>,
): Output {
  let waiting: (() => void)[] = [];
  const caughtUp = (): void => {
    const now = waiting;
    waiting = [];
    for (const resolve of now) resolve();
  };
  let ended = false;
  void readOutput(deps, rollout, { signal, caughtUp }, send).finally(() => {
    ended = true;
    caughtUp();
  });
  const look = (): Promise<void> => new Promise((resolve) => void (ended ? resolve() : waiting.push(resolve)));
  return {
    async caughtUp() {
      const late = deps.engine.deps.clock.sleep(OUTPUT_MS, signal);
      // The look that ends first may have begun before.
      await Promise.race([look().then(look), late]);
    },
  };
}

async function readOutput(
  deps: ApiDeps,
  rollout: Rollout,
  follow: { signal: AbortSignal; caughtUp: () => void },
  send: (event: RolloutEvent) => Promise<void>,
): Promise<void> {
  const { places } = deps.engine.deps;
  const files = rollout.services.flatMap((each) =>
    WORK_KINDS.map((kind) => {
      const job = workId(rollout.id, kind, each.service);
      return { file: places.jobLog({ ...rollout, job }), service: each.service, release: each.to, instance: job };
    }),
  );
  try {
    for await (const line of deps.logs.read({ files, lines: 100, follow: true, ...follow }))
      await send({ type: 'output', job: line.instance ?? '', service: line.service, line: line.line });
  } catch {
    // Output is a courtesy; its absence stops nothing.
  }
}
