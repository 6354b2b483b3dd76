import type { CloudCleanup } from '../../api/contract/cloud/cleanup.ts';
import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import { apisToDisable } from '../../domain/cloud/cleanup/afterwards.ts';
import { type Apart, type CleanupItem, planCleanup } from '../../domain/cloud/cleanup/cleanup-plan.ts';
import {
  type Confirmation,
  confirmItem,
  confirmSelection,
  isConfirmed,
  leftWithout,
  mayCleanUp,
  readMenu,
  type Selection,
} from '../../domain/cloud/cleanup/confirm.ts';
import type { Desired, Kind, Observed } from '../../domain/cloud/resource.ts';
import { removeAll } from '../../engine/cloud/cleanup.ts';
import { observe, type Sight } from '../../engine/cloud/observe.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { carryOut } from './carry-out.ts';
import { type DeskDeps, LOOK_MS, placeOf, scopeOf, signsOf } from './desk-deps.ts';
import { desiredHere, EVERY_KIND, unknownOf } from './look.ts';

export interface PreparedCleanup {
  document: CloudCleanup;
  /** Asked once, before the first deletion; null: nothing is. */
  selectionQuestion(selection: Selection, addresses: readonly string[]): Confirmation | null;
  /** Asked for one of them, whatever was said before. */
  questions(selection: Selection, address: string): Confirmation[];
  isConfirmed(confirmation: Confirmation, answer: string | null): boolean;
  /** `1, 3-5`, a kind, a name; nothing is picked as long as there is anything that means nothing. */
  menu(typed: string): { picked: string[]; problems: string[] };
  /** What would not work any more if only these went. */
  warnings(addresses: readonly string[]): string[];
  run(addresses: readonly string[], onEvent: (event: CloudEvent) => void, signal: AbortSignal): Promise<CloudResult>;
}

export interface CleanupOptions {
  /** Also what evenkeel did not label. */
  all: boolean;
  /** APIs that nothing needs any more are switched off at the end. */
  apis: boolean;
  /** The environment as it was typed; null: a default was taken, which is not enough for production. */
  typed: string | null;
}

/** What a clean-up would delete; nothing is before `run`. */
export async function prepareCleanup(
  deps: DeskDeps,
  { all, apis, typed }: CleanupOptions,
  signal: AbortSignal,
): Promise<PreparedCleanup> {
  const allowed = mayCleanUp(signsOf(deps), typed);
  if (!allowed.allowed)
    throw new EvenkeelError({
      code: 'production-not-typed',
      what: 'nothing was deleted',
      why: allowed.reason,
      next: allowed.next,
    });
  const { projectNumber } = await deps.cloud.greet(signal);
  const { desired, sight } = await desiredHere(deps, projectNumber, {
    deadlineMs: LOOK_MS.plan,
    signal,
    more: EVERY_KIND,
    sizes: true,
  });
  const scope = { ...scopeOf(deps), cloudProject: deps.config.project };
  const { items, apart } = planCleanup(sight.observed, scope, { all, now: deps.now() });
  const chosen = (addresses: readonly string[]): CleanupItem[] =>
    items.filter(({ address }) => addresses.includes(address));
  return {
    document: {
      ...placeOf(deps),
      items: items.map(itemView),
      apart: apart.map(apartView),
      unknown: unknownOf(sight),
    },
    selectionQuestion: (selection, addresses) => confirmSelection(selection, chosen(addresses)),
    questions: (selection, address) => chosen([address]).flatMap((item) => confirmItem(selection, item)),
    // `--yes` is never asked here: what is gone is gone.
    isConfirmed: (confirmation, answer) => isConfirmed(confirmation, answer, { yes: false }),
    menu: (typed) => readMenu(typed, items),
    warnings: (addresses) => leftWithout(new Set(chosen(addresses).map(({ address }) => address)), items),
    run: (addresses, onEvent, runSignal) => {
      const going = chosen(addresses).map(({ observed }) => observed);
      return carryOut(
        async (options) => {
          const outcome = await removeAll(deps.cloud, going, options);
          if (!apis || runSignal.aborted) return outcome;
          const idle = await idleApis(deps, { desired, sight, signal: runSignal });
          const ended = await removeAll(deps.cloud, idle, options);
          return {
            done: [...outcome.done, ...ended.done],
            failed: [...outcome.failed, ...ended.failed],
            skipped: [...outcome.skipped, ...ended.skipped],
            left: [...outcome.left, ...ended.left],
            waiting: [...outcome.waiting, ...ended.waiting],
          };
        },
        onEvent,
        runSignal,
        ({ failed }) => (failed.length > 0 ? [] : [{ command: 'evenkeel cloud list', means: 'what is left' }]),
      );
    },
  };
}

/** Those that nothing needs any more that is still there, of anybody. */
async function idleApis(
  { cloud }: DeskDeps,
  { desired, sight, signal }: { desired: readonly Desired[]; sight: Sight; signal: AbortSignal },
): Promise<Observed[]> {
  const needed = desired.filter(({ kind }) => kind === 'api').map(({ name }) => name);
  const kinds: Kind[] = EVERY_KIND.filter((kind) => kind !== 'audit-logs' && kind !== 'log-retention');
  const now = await observe(cloud, kinds, { deadlineMs: LOOK_MS.plan, signal });
  const choices = apisToDisable(
    needed,
    now.observed,
    now.unknown.map(({ kind }) => kind),
  );
  const idle = new Set(choices.filter(({ disable }) => disable).map(({ api }) => api));
  return sight.observed.filter(({ kind, name }) => kind === 'api' && idle.has(name));
}

const itemView = (item: CleanupItem): CloudCleanup['items'][number] => ({
  address: item.address,
  kind: item.observed.kind,
  name: item.observed.name,
  description: item.description,
  own: item.own,
  why: item.why,
  protection: item.protection,
  takes: item.takes,
});

const apartView = (each: Apart): CloudCleanup['apart'][number] => ({
  address: each.address,
  kind: each.observed.kind,
  name: each.observed.name,
  description: each.description,
  reason: each.reason,
  withAll: each.withAll,
});
