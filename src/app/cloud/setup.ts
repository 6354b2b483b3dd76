import type { CloudPlan } from '../../api/contract/cloud/plan.ts';
import type { CloudEvent, CloudResult } from '../../api/contract/cloud/run.ts';
import { desiredOf } from '../../domain/cloud/desired.ts';
import { only } from '../../domain/cloud/families.ts';
import { changesOf, planOf, type Change } from '../../domain/cloud/plan.ts';
import { addressOf, type Desired, type Kind } from '../../domain/cloud/resource.ts';
import { apply } from '../../engine/cloud/apply.ts';
import { problemOf } from '../../engine/cloud/problem.ts';
import { observe } from '../../engine/cloud/observe.ts';
import type { TaskOutcome } from '../../engine/cloud/tasks.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { carryOut, kindOf, type Next } from './carry-out.ts';
import { type DeskDeps, LOOK_MS, scopeOf } from './desk-deps.ts';
import { desiredHere } from './look.ts';
import { planDocument } from './plan-document.ts';

export interface PreparedPlan {
  document: CloudPlan;
  run(onEvent: (event: CloudEvent) => void, signal: AbortSignal): Promise<CloudResult>;
}

/** What set-up would do, and how to do it. Nothing is changed before `run`. */
export async function preparePlan(
  deps: DeskDeps,
  words: readonly string[],
  signal: AbortSignal,
): Promise<PreparedPlan> {
  const scope = scopeOf(deps);
  // Before anybody is asked: a word that names nothing costs no call.
  const about = chosenOf(desiredOf(deps.config, { ...scope, projectNumber: '0' }), words);
  const { projectNumber, billing } = await deps.cloud.greet(signal);
  const { desired, sight } = await desiredHere(deps, projectNumber, {
    deadlineMs: LOOK_MS.plan,
    signal,
    ...(words.length === 0 ? {} : { kinds: new Set(about.map(({ kind }) => kind)) }),
  });
  const wanted = words.length === 0 ? desired : chosenOf(desired, words);
  const plan = planOf(desired, sight, scope, wanted);
  const document = planDocument(deps, { plan, sight, desired: wanted });
  const changes = changesOf(plan);
  return {
    document,
    run: (onEvent, runSignal) => {
      if (billing === false && changes.length > 0) throw billingOff(deps.config.project);
      return carryOut(
        async (options) => {
          const outcome = await apply(deps.cloud, changes, options);
          const seen = await verified(deps, { outcome, changes, wanted, signal: runSignal });
          return withKey(deps, seen, wanted, runSignal);
        },
        onEvent,
        runSignal,
        (outcome) => nextSteps(deps, { outcome, plan: document, whole: words.length === 0 }),
      );
    },
  };
}

/** Only the first half of a set-up would succeed: none is begun. */
const billingOff = (project: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-billing-off',
    what: `nothing was done: billing is off in ${project}`,
    next: `link a billing account: https://console.cloud.google.com/billing/linkedaccount?project=${project}`,
  });

/** Throws `cloud-unknown-part`. */
function chosenOf(desired: readonly Desired[], words: readonly string[]): Desired[] {
  const chosen = only(desired, words);
  if (chosen.ok) return chosen.resources;
  throw new EvenkeelError({
    code: 'cloud-unknown-part',
    what: `--only does not know ${chosen.word}`,
    next:
      chosen.meant === null
        ? `one of ${chosen.known.join(', ')}, or an address such as bucket/NAME`
        : `did you mean ${chosen.meant}?`,
  });
}

/**
 * Success is said only of what was seen: what was changed is looked at once more, and what is not as it should be is a
 * failure like any other.
 */
async function verified(
  deps: DeskDeps,
  {
    outcome,
    changes,
    wanted,
    signal,
  }: { outcome: TaskOutcome; changes: readonly Change[]; wanted: readonly Desired[]; signal: AbortSignal },
): Promise<TaskOutcome> {
  const done = new Set(outcome.done.map(({ address }) => address));
  if (done.size === 0 || signal.aborted) return outcome;
  const kinds = new Set<Kind>([...done].map(kindOf));
  const sight = await observe(deps.cloud, [...kinds], { deadlineMs: LOOK_MS.plan, signal }).catch(() => null);
  if (sight === null) return outcome;
  const about = wanted.filter((each) => done.has(addressOf(each)));
  const wrong = planOf(about, sight, scopeOf(deps)).lines.filter(
    ({ action, address }) => done.has(address) && ['create', 'update', 'replace', 'unknown'].includes(action),
  );
  const acts = new Map(changes.map(({ action, desired }) => [addressOf(desired), action]));
  return {
    ...outcome,
    done: outcome.done.filter(({ address }) => !wrong.some((line) => line.address === address)),
    failed: [
      ...outcome.failed,
      ...wrong.map(({ address, action, reason, differences }) => ({
        address,
        act: acts.get(address) ?? ('create' as const),
        problem: {
          code: action === 'unknown' ? 'cloud-not-seen' : 'cloud-not-as-asked',
          message:
            action === 'unknown'
              ? `it was asked for, and could not be looked at afterwards: ${reason ?? ''}`
              : action === 'create'
                ? 'it was asked for, and is not there'
                : `it was asked for, and is different: ${differences.map(({ attribute }) => attribute).join(', ')}`,
          next: 'evenkeel cloud status',
          retryable: true,
        },
      })),
    ],
  };
}

/** The key of the account, where the file says where it goes; it is made once, and kept. */
async function withKey(
  { config, writeKey }: DeskDeps,
  outcome: TaskOutcome,
  wanted: readonly Desired[],
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const { name, keyFile } = config.account;
  const address = `account/${name}` as const;
  const isBad = [...outcome.failed, ...outcome.skipped].some((each) => each.address === address);
  if (keyFile === null || isBad || signal.aborted || !wanted.some((each) => addressOf(each) === address))
    return outcome;
  try {
    await writeKey(name, keyFile, signal);
    return outcome;
  } catch (error) {
    return { ...outcome, failed: [...outcome.failed, { address, act: 'update', problem: problemOf(error) }] };
  }
}

function nextSteps(
  { config }: DeskDeps,
  { outcome: { failed, skipped }, plan, whole }: { outcome: TaskOutcome; plan: CloudPlan; whole: boolean },
): Next {
  if (failed.length + skipped.length > 0) return [];
  if (!whole) return [{ command: 'evenkeel cloud setup', means: 'make the rest' }];
  const values = plan.secretsWithoutValue.map((name) => ({
    command: `evenkeel cloud secret ${name}`,
    means: 'give it its value; it is asked for',
  }));
  const deploy = config.services.length === 0 ? [] : [{ command: 'evenkeel deploy', means: 'bring the services up' }];
  return [
    ...values,
    ...deploy,
    { command: 'evenkeel cloud status', means: 'whether all is well' },
    { command: 'evenkeel cloud cost', means: 'what it costs' },
  ];
}
