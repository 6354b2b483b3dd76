import type { Deployment, Release } from '../../domain/release/release.ts';
import { beginRollout, type Change } from '../../domain/rollout/begin.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { createOrReplace } from './create.ts';
import type { Begun } from './deploy.ts';
import { requireUp } from './require-up.ts';
import { until } from './until.ts';

/** A hot release is a switch away; longer than this means that the edge or the store is away. */
const SWITCH_TIMEOUT_MS = 30_000;

const WAITS_FOR_MIGRATION =
  'it is taken back as soon as the migration that runs has ended (evenkeel abort --force does not wait)';

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
}

/**
 * Back to the former release: at once while it is hot (the rollout that is under way or in its window is taken back),
 * else as a new rollout of the old artifact with its old configuration.
 */
export async function rollback(engine: Engine, input: RollbackInput): Promise<Begun> {
  const { deps } = engine;
  const scope = { project: input.project, environment: input.environment };
  await requireUp(deps, scope);
  const recent = await deps.store.rollouts({
    ...scope,
    ...(input.service === null ? {} : { service: input.service }),
    limit: 50,
  });
  const hot = recent.find((each) => each.end === null);
  if (hot !== undefined && targetsFormer(hot, input)) return takeBack(engine, hot, input);
  const already = input.to === null ? rolledBackLast(recent) : null;
  if (already !== null) return { rollout: already, message: alreadyBack(already) };

  const said = input.comment === null ? '' : `: ${input.comment}`;
  const make = async (serving: Deployment[]): Promise<Rollout> => {
    const changes = await olderReleases(engine, input, recent, serving);
    return beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'rollback',
      changes,
      approvalsNeeded: 0,
      keepFailed: null,
      by: input.by,
      reason: `rollback to ${changes.map((each) => each.to).join(', ')} by ${input.by}${said}`,
      now: deps.clock.now(),
    });
  };
  const rollout = await createOrReplace(engine, make, { ...scope, replace: true, by: input.by });
  return { rollout, message: rollout.reason };
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
  return `${name((part) => part.from)} serves already, ${name((part) => part.to)} was taken back: ${last.reason} (further back with --to RELEASE)`;
}

async function olderReleases(
  engine: Engine,
  input: RollbackInput,
  recent: Rollout[],
  serving: Deployment[],
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const service of await affected(input, recent, serving)) {
    const current = serving.find((each) => each.service === service)?.current ?? null;
    const target = await targetRelease(engine, input, service, current, recent);
    if (target.id !== current) changes.push({ config: target.config, from: current, to: target.id, old: true });
  }
  if (changes.length > 0) return changes;
  throw new EvenkeelError({
    code: 'nothing-to-roll-back',
    what: 'the release that you name is the one that serves',
    next: 'evenkeel releases',
  });
}

function targetsFormer(hot: Rollout, input: RollbackInput): boolean {
  if (input.to === null)
    return hot.phase !== 'watching' || hot.removes.length > 0 || hot.services.some((each) => each.from !== null);
  return hot.services.some((each) => each.service === input.service && each.from === input.to);
}

async function takeBack(engine: Engine, hot: Rollout, input: RollbackInput): Promise<Begun> {
  const { deps } = engine;
  await deps.store.addRequest({
    rollout: hot.id,
    kind: 'rollback',
    by: input.by,
    at: deps.clock.now(),
    comment: input.comment,
    force: false,
  });
  engine.wake(hot);
  const former = hot.services.filter((each) => each.kind !== 'worker' && each.from !== null);
  if (hot.phase === 'migrating') return { rollout: hot, message: WAITS_FOR_MIGRATION };
  // Success is what the edge has applied, not what was decided.
  await until(
    engine,
    async () => {
      const rollout = await deps.store.rollout(hot.id);
      if (rollout === null || rollout.end === null) return false;
      const edge = await deps.traffic.state().catch(() => null);
      if (edge === null) return false;
      return former.every((each) => {
        const applied = edge.services.find(
          ({ config }) =>
            config.project === hot.project && config.environment === hot.environment && config.service === each.service,
        );
        return (
          applied?.config.releases.some((release) => release.release === each.from && release.weight === 100) ?? false
        );
      });
    },
    { what: 'the former release to have all traffic again', timeoutMs: SWITCH_TIMEOUT_MS },
  );
  const taken = await deps.store.rollout(hot.id);
  const back = former.map((each) => each.from).join(', ');
  return {
    rollout: taken,
    message: back === '' ? 'taken back' : `${back} ${former.length === 1 ? 'has' : 'have'} all traffic again`,
  };
}

async function affected(input: RollbackInput, recent: Rollout[], deployments: Deployment[]): Promise<string[]> {
  if (!input.all && input.service !== null) {
    if (deployments.some((each) => each.service === input.service)) return [input.service];
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `service ${input.service} was never deployed here`,
      next: 'evenkeel status',
    });
  }
  const last = recent.find((each) => each.end === 'complete' && each.services.some((part) => part.from !== null));
  if (last !== undefined) return last.services.map((each) => each.service);
  throw new EvenkeelError({
    code: 'nothing-to-roll-back',
    what: 'no rollout has replaced a release here yet',
    next: 'evenkeel rollouts',
  });
}

async function targetRelease(
  engine: Engine,
  input: RollbackInput,
  service: string,
  current: string | null,
  recent: Rollout[],
): Promise<Release> {
  const { deps } = engine;
  const releases = await deps.store.releases({
    project: input.project,
    environment: input.environment,
    service,
    limit: 200,
  });
  const known = { releases, recent, service, current };
  const release = input.to === null ? formerRelease(known) : namedRelease(known, input.to);
  if (release === null)
    throw new EvenkeelError({
      code: 'release-unknown',
      what:
        input.to === null
          ? `${service} has no former release to go back to`
          : `there is no release ${input.to} of ${service} here`,
      next: `evenkeel releases ${service}`,
    });
  if (release.artifact === null || !(await deps.builder.has(release.artifact)))
    throw new EvenkeelError({
      code: 'release-gone',
      what: `the files of ${release.id} are not kept any more`,
      why: 'only the last few releases are kept (rollout.keepReleases)',
      next: `check that commit out and deploy it: git checkout ${release.source.commit ?? '<commit>'} && evenkeel deploy ${service}`,
    });
  return release;
}

interface Known {
  /** Of the service, newest first. */
  releases: Release[];
  recent: Rollout[];
  service: string;
  current: string | null;
}

/** What served before. A restart brought the same once more, so what was before it is meant. */
function formerRelease({ releases, recent, service, current }: Known): Release | null {
  const find = (id: string | null): Release | null => releases.find((each) => each.id === id) ?? null;
  const complete = recent.filter((each) => each.end === 'complete').flatMap((each) => each.services);
  const before = (id: string): Release | null =>
    find(complete.find((each) => each.service === service && each.to === id)?.from ?? null);
  const serving = find(current);
  if (serving === null) return null;
  let release = before(serving.id);
  // Two that were rolled back to in turn lead back to each other.
  for (const seen = new Set<string>(); release !== null && isSame(release, serving); release = before(release.id)) {
    if (seen.has(release.id)) return null;
    seen.add(release.id);
  }
  return release;
}

const isSame = (one: Release, other: Release): boolean =>
  one.artifact === other.artifact && one.configDigest === other.configDigest;

/** By its id, or by a label, of which several may have the same: then the one that has served. */
function namedRelease({ releases, recent, service, current }: Known, name: string): Release | null {
  const byId = releases.find((each) => each.id === name);
  if (byId !== undefined) return byId;
  const labelled = releases.filter((each) => each.source.label === name);
  const others = labelled.filter((each) => each.id !== current);
  const complete = recent.filter((each) => each.end === 'complete').flatMap((each) => each.services);
  const served = others.filter(({ id }) => complete.some((each) => each.to === id || each.from === id));
  const meant = served.length > 0 ? served : others;
  const [first, second] = meant;
  if (second === undefined) return first ?? labelled[0] ?? null;
  throw new EvenkeelError({
    code: 'release-ambiguous',
    what: `${meant.map((each) => each.id).join(', ')} of ${service} are all called ${name}`,
    next: `name the release itself, such as --to ${first?.id}; evenkeel releases ${service}`,
  });
}
