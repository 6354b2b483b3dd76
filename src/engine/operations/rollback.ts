import { envOption } from '../../lib/env-option.ts';
import type { ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment, Release } from '../../domain/release/release.ts';
import { beginRollout, type Change } from '../../domain/rollout/begin.ts';
import { behindContract, pastContract } from '../../domain/rollout/past-contract.ts';
import { concerns, type Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { createOrReplace } from './create.ts';
import type { Begun } from './deploy.ts';
import { currentOf, mustRunAlone } from './new-releases.ts';
import { isCalled, isOverWindow, targetRelease } from './older-release.ts';
import { requireUp } from './require-up.ts';
import { takeBack } from './take-back.ts';

export interface RollbackInput {
  project: string;
  environment: string;
  /** Null with `all`. */
  service: string | null;
  /** Every service of the last rollout. */
  all: boolean;
  /** Release id or label; null: the former one. */
  to: string | null;
  comment: string | null;
  by: string;
  /** Refuses, by throwing, what must not be started again; what is still hot is not asked about. */
  vet?: (configs: readonly ServiceConfig[]) => Promise<void>;
}

/**
 * Back to the former release: at once while it is hot (the rollout that is under way or in its window is taken back, and
 * with it what it took down), else as a new rollout of the old artifact with its old configuration.
 */
export async function rollback(engine: Engine, input: RollbackInput): Promise<Begun> {
  const { deps } = engine;
  const scope = { project: input.project, environment: input.environment };
  await requireUp({ store: engine.reads }, scope);
  const open = await engine.reads.rollouts({ ...scope, unsettled: true });
  // Behind its window nothing of the former release is left.
  const hot = open.find(
    (each) =>
      each.end === null && each.phase !== 'contracting' && (input.service === null || touches(each, input.service)),
  );
  if (hot !== undefined && (await targetsFormer(engine, hot, input))) return takeBack(engine, hot, input);
  const recent = await deps.store.rollouts({
    ...scope,
    ...(input.service === null ? {} : { service: input.service }),
    limit: 50,
  });
  const already = input.to === null ? rolledBackLast(recent) : null;
  if (already !== null) return { rollout: already, message: alreadyBack(already) };

  const said = input.comment === null ? '' : `: ${input.comment}`;
  const make = async (serving: Deployment[]): Promise<Rollout> => {
    const { changes, left } = await olderReleases(engine, input, recent, serving);
    await input.vet?.(changes.map(({ config }) => config));
    return beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'rollback',
      changes,
      approvalsNeeded: 0,
      keepFailed: null,
      by: input.by,
      reason: `rollback to ${changes.map((each) => each.to).join(', ')} by ${input.by}${said}${left}`,
      now: deps.clock.now(),
    });
  };
  const rollout = await createOrReplace(engine, make, { ...scope, replace: true, by: input.by });
  return { rollout, message: rollout.reason };
}

const touches = (rollout: Rollout, service: string): boolean => concerns(rollout).includes(service);

/** Whether taking the rollout back is what is asked for: nothing else is named, or what is named is what it replaced. */
async function targetsFormer(engine: Engine, hot: Rollout, { project, service, to }: RollbackInput): Promise<boolean> {
  const parts = [
    ...hot.services.map((each) => ({ service: each.service, former: each.from })),
    ...hot.removes.map((each) => ({ service: each.service, former: each.release })),
  ];
  if (to === null) return hot.phase !== 'watching' || hot.opens !== null || parts.some((each) => each.former !== null);
  const meant = parts.filter((each) => service === null || each.service === service);
  for (const { former } of meant) {
    const release = former === null ? null : await engine.reads.release(project, former);
    if (release === null || !isCalled(release, to)) return false;
  }
  return meant.length > 0;
}

/**
 * The last rollout, if it was rolled back. A command whose answer was lost (the controller was killed just then) is given
 * again, and must not go back a second time: whoever wants to go further back says to which release.
 */
function rolledBackLast(newestFirst: Rollout[]): Rollout | null {
  const [last] = newestFirst;
  return last?.end === 'rolled-back' ? last : null;
}

function alreadyBack(last: Rollout): string {
  const name = (pick: (part: Rollout['services'][number]) => string | null): string =>
    last.services.flatMap((part) => pick(part) ?? []).join(', ');
  const back = [name((part) => part.from), ...last.removes.map((each) => each.release)].filter((id) => id !== '');
  const gone = name((part) => part.to);
  const taken = gone === '' ? '' : `, ${gone} was taken back`;
  return `${back.join(', ') || 'the former port'} serves already${taken}: ${last.reason} (further back with --to RELEASE)`;
}

/** What the services are moved to, and, with `all`, in words which of them stay as they are. */
async function olderReleases(
  engine: Engine,
  input: RollbackInput,
  recent: Rollout[],
  serving: Deployment[],
): Promise<{ changes: Change[]; left: string }> {
  const changes: Change[] = [];
  const left: string[] = [];
  for (const service of affected(input, recent, serving)) {
    const current = currentOf(serving, service);
    // It was taken down since, on purpose; a way back that nobody watches must not start it again.
    if (input.all && current === null) {
      left.push(`${service} was taken down and stays so`);
      continue;
    }
    const target = await targetRelease(engine, { ...input, optional: input.all }, { service, current, recent });
    refusePastContract(service, target, serving);
    if (target === null) left.push(`${service} has no former release and stays as it is`);
    else if (target.id !== current) {
      const { config, id: to } = target;
      const alone = await mustRunAlone(engine.deps, input.project, config, current);
      changes.push({ config, from: current, to, old: true, alone });
    }
  }
  if (changes.length > 0) return { changes, left: left.map((each) => `; ${each}`).join('') };
  throw new EvenkeelError({
    code: 'nothing-to-roll-back',
    what: left.length > 0 ? left.join('; ') : 'the release that you name is the one that serves',
    next:
      left.length > 0
        ? `what is to come back is put into evenkeel.yaml again: evenkeel up${envOption(input.environment)}`
        : `evenkeel releases${envOption(input.environment)}`,
  });
}

/** Throws EvenkeelError `past-contract`: nobody can tell what an old release does on a database without what it needs. */
function refusePastContract(service: string, target: Release | null, serving: Deployment[]): void {
  const deployment = serving.find((each) => each.service === service);
  const by = target === null || deployment === undefined ? null : behindContract(target.id, deployment);
  if (target === null || by === null) return;
  const commit = target.source.commit?.slice(0, 10) ?? '<commit>';
  throw new EvenkeelError({
    code: 'past-contract',
    what: `${service} cannot go back to ${target.id}: the contract of ${by} has begun`,
    why: pastContract(target.id, by),
    next:
      `go forward: mend it and \`evenkeel deploy ${service}\`; ` +
      `if the database has what ${target.id} needs, deploy its code as a new release: git checkout ${commit} && evenkeel deploy ${service}`,
  });
}

/** The service that is named, or those of the last rollout. */
function affected(input: RollbackInput, recent: Rollout[], deployments: Deployment[]): string[] {
  if (!input.all && input.service !== null) {
    if (deployments.some((each) => each.service === input.service)) return [input.service];
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `service ${input.service} was never deployed here`,
      next: 'evenkeel status',
    });
  }
  const last = recent.find((each) => isOverWindow(each) && replaces(each));
  if (last !== undefined) return concerns(last);
  throw new EvenkeelError({
    code: 'nothing-to-roll-back',
    what: 'no rollout has replaced a release here yet',
    next: 'evenkeel rollouts',
  });
}

const replaces = ({ services, removes }: Rollout): boolean =>
  removes.length > 0 || services.some((each) => each.from !== null);
