import type { InstanceObservation } from '../../domain/instance/instance.ts';
import type { RunRevision, RunService } from '../../domain/cloud/run/api.ts';
import type { InstanceRecord } from '../../domain/cloud/run/record.ts';

/** Whether Cloud Run could start a revision. */
export type Ready = { state: 'ready' | 'pending' } | { state: 'failed'; why: string };

/** Null: there is no such revision yet. */
export function readinessOf(revision: RunRevision | null): Ready {
  if (revision === null) return { state: 'pending' };
  const ready = (revision.conditions ?? []).find(({ type }) => type === 'Ready');
  if (ready?.state === 'CONDITION_SUCCEEDED') return { state: 'ready' };
  if (ready?.state === 'CONDITION_FAILED')
    return { state: 'failed', why: ready.message ?? ready.reason ?? 'Cloud Run does not say why' };
  return { state: 'pending' };
}

/** A revision as the engine sees an instance. */
export function observation(service: RunService, record: InstanceRecord, ready: Ready): InstanceObservation {
  const { id, release, index, generation, port, at, stopped } = record;
  const common = {
    id,
    service: record.service,
    release,
    index,
    generation,
    port,
    pid: null,
    startedAt: at,
    usage: null,
  };
  if (stopped !== undefined)
    return {
      ...common,
      state: 'ended',
      endedAt: stopped,
      end: { kind: 'signal', signal: 'SIGTERM' },
      stopRequested: true,
    };
  if (ready.state === 'failed') {
    const updated = Date.parse(service.updateTime ?? '');
    return {
      ...common,
      state: 'ended',
      endedAt: Number.isNaN(updated) ? at : Math.max(at, updated),
      end: { kind: 'start-failed', detail: ready.why },
      stopRequested: false,
    };
  }
  return { ...common, state: 'running', endedAt: null, end: null, stopRequested: false };
}
