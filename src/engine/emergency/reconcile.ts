import type { Scope } from '../../domain/project/scope.ts';
import type { UnwrittenRequest } from '../../ports/emergency.ts';
import type { EngineDeps } from '../deps.ts';

/**
 * Tells the store what people asked for while it was away. Throws when it still is; what was told by then is not told
 * again. A rollout that has ended by other means needs no request any more.
 */
export async function reconcile(deps: Pick<EngineDeps, 'store' | 'emergency' | 'log'>, scope: Scope): Promise<void> {
  const { store, emergency, log } = deps;
  for (const each of emergency.unwritten.of(scope)) {
    const { id, project: _project, environment: _environment, ...request } = each;
    const rollout = await store.rollout(each.rollout);
    if (rollout === null || rollout.end !== null)
      log.warn({ rollout: each.rollout }, `the ${each.kind} by ${each.by} comes too late: it has ended`);
    else if (!(await store.requests(each.rollout, 0)).some((known) => isSame(known, each)))
      await store.addRequest(request);
    await emergency.unwritten.remove([id]);
    log.info(
      { rollout: each.rollout },
      `the ${each.kind} by ${each.by}, asked for while the store was away, is written`,
    );
  }
}

/** It may have been written before whoever wrote it could take note. */
const isSame = (known: Pick<UnwrittenRequest, 'kind' | 'by' | 'at'>, each: UnwrittenRequest): boolean =>
  known.kind === each.kind && known.by === each.by && known.at === each.at;
