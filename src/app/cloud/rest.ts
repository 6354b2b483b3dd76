import type { CloudList } from '../../api/contract/cloud/look.ts';
import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import { whyProduction } from '../../domain/cloud/cleanup/production.ts';
import { addressOf, type Kind } from '../../domain/cloud/resource.ts';
import { setRunning } from '../../engine/cloud/cleanup.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { carryOut } from './carry-out.ts';
import { type DeskDeps, LOOK_MS, placeOf, scopeOf, signsOf } from './desk-deps.ts';
import { desiredHere, unknownOf } from './look.ts';
import { ownerOf } from './owner.ts';
import { listed } from './status.ts';

const RESTING: ReadonlySet<Kind> = new Set<Kind>(['sql-instance', 'service']);

export interface PreparedRest {
  document: CloudList;
  /** What is so already: it may be named, and nothing is done. */
  already: { address: string; name: string }[];
  /** Nobody is served while it rests, and somebody may mind. */
  production: boolean;
  run(addresses: readonly string[], onEvent: (event: CloudEvent) => void, signal: AbortSignal): Promise<CloudResult>;
}

/** What of this environment can be woken, or put to rest. Throws `cloud-blind` when not all of it can be seen. */
export async function prepareRest(deps: DeskDeps, running: boolean, signal: AbortSignal): Promise<PreparedRest> {
  const { projectNumber } = await deps.cloud.greet(signal);
  const { desired, sight } = await desiredHere(deps, projectNumber, {
    deadlineMs: LOOK_MS.plan,
    signal,
    kinds: RESTING,
  });
  const [blind] = sight.unknown;
  if (blind !== undefined)
    throw new EvenkeelError({
      code: 'cloud-blind',
      what: `nothing was done: ${sight.unknown.map(({ kind }) => kind).join(', ')} could not be looked at`,
      why: blind.problem.message,
      next: blind.problem.next ?? 'try again',
      retryable: blind.problem.retryable,
    });
  const context = { scope: scopeOf(deps), desired, all: sight.observed };
  const own = sight.observed.filter(
    (each) =>
      RESTING.has(each.kind) &&
      // A database that never came up neither runs nor rests.
      !(each.kind === 'sql-instance' && each.state === 'failed') &&
      ownerOf(each, context) === 'ours',
  );
  const able = own.filter(({ state }) => (state === 'stopped') === running);
  return {
    already: own.flatMap((each) => (able.includes(each) ? [] : [{ address: addressOf(each), name: each.name }])),
    production: whyProduction(signsOf(deps)) !== null,
    document: { ...placeOf(deps), resources: able.map((each) => listed(each, 'ours')), unknown: unknownOf(sight) },
    run: (addresses, onEvent, runSignal) =>
      carryOut(
        (options) =>
          setRunning(
            deps.cloud,
            able.filter((each) => addresses.includes(addressOf(each))),
            running,
            options,
          ),
        onEvent,
        runSignal,
        ({ done }) =>
          done.length === 0 || running
            ? []
            : [
                {
                  command: 'evenkeel cloud start',
                  means: 'wake them; disks, backups and images cost on meanwhile',
                },
              ],
      ),
  };
}
