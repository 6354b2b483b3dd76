import type { ServerResponse } from 'node:http';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { WORK_KINDS, workId } from '../../engine/work-ids.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { RolloutEvent } from '../contract/contract.ts';
import { journalView } from '../views/rollout-view.ts';
import { view } from '../views/current-rollout.ts';
import { drained } from './drained.ts';

/** A view is sent at most this often; journal lines are sent at once. */
const VIEW_EVERY_MS = 250;
const HEARTBEAT_MS = 5_000;

/**
 * The journal after `after`, then everything that happens, until the rollout is over and settled or the client leaves.
 * NDJSON; an empty line now and then says that the line is alive.
 */
export async function streamRollout(
  deps: ApiDeps,
  rollout: Rollout,
  after: number,
  out: ServerResponse,
): Promise<void> {
  const { engine } = deps;
  const { store, clock } = engine.deps;
  const gone = new AbortController();
  out.on('close', () => gone.abort());
  out.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  // Output that is still on its way may come after the end, and a reader may be slower than a build that floods its log.
  const write = async (line: string): Promise<void> => {
    if (!out.writableEnded && !out.write(`${line}\n`)) await drained(out, gone.signal);
  };
  const send = (event: RolloutEvent): Promise<void> => write(JSON.stringify(event));

  void streamOutput(deps, rollout, gone.signal, send);
  let seq = after;
  let shown = '';
  let lastWrite = clock.now();
  let wake = new AbortController();
  const off = engine.onLook((scope) => {
    if (scope.project === rollout.project && scope.environment === rollout.environment) wake.abort();
  });
  try {
    while (!gone.signal.aborted) {
      wake = new AbortController();
      const current = await store.rollout(rollout.id);
      if (current === null) break;
      for (const entry of await store.journal(rollout.id)) {
        if (entry.seq <= seq) continue;
        seq = entry.seq;
        await send({ type: 'journal', entry: journalView(entry) });
        lastWrite = clock.now();
      }
      const now = await view(deps, current, true);
      const text = JSON.stringify(now);
      if (text !== shown) {
        shown = text;
        await send({ type: 'rollout', rollout: now });
        lastWrite = clock.now();
      } else if (clock.now() - lastWrite > HEARTBEAT_MS) {
        await write('');
        lastWrite = clock.now();
      }
      if (now.end !== null && now.settled) break;
      await clock.sleep(VIEW_EVERY_MS, gone.signal);
      if (!gone.signal.aborted) await clock.sleep(1_000, AbortSignal.any([wake.signal, gone.signal]));
    }
  } catch {
    // The store or the edge is away: the client connects again and goes on after the last line that it has.
  } finally {
    off();
    gone.abort();
    out.end();
  }
}

/** Lines of build, migration, smoke and check output as they are written. */
async function streamOutput(
  deps: ApiDeps,
  rollout: Rollout,
  signal: AbortSignal,
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
    for await (const line of deps.logs.read({ files, lines: 100, follow: true, signal }))
      await send({ type: 'output', job: line.instance ?? '', service: line.service, line: line.line });
  } catch {
    // Output is a courtesy; its absence stops nothing.
  }
}
