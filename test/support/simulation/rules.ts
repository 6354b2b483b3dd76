import type { Deployment } from '../../../src/domain/release/release.ts';
import { isPromoted } from '../../../src/domain/rollout/active.ts';
import { desiredServices, staysHot } from '../../../src/domain/rollout/desired.ts';
import { type OperatorRequest, PHASES, type Rollout } from '../../../src/domain/rollout/rollout.ts';
import type { EdgeService } from '../../../src/domain/traffic/protocol.ts';
import { runId } from '../../../src/domain/schedule/run.ts';
import { BrokenRule } from './broken-rule.ts';
import type { Machine } from './machine.ts';
import { checkTakenBack, checkUnits } from './unit-rules.ts';

function must(holds: boolean, rule: string, seen: unknown): asserts holds {
  if (!holds) throw new BrokenRule(rule, seen);
}

const SCOPE = { project: 'shop', environment: 'production' };

/** What the world holds at a moment, read past every adversary. */
export interface Truth {
  rollouts: Rollout[];
  deployments: Deployment[];
  up: boolean;
}

export async function truthOf({ store }: Machine): Promise<Truth> {
  return {
    rollouts: await store.rollouts(SCOPE),
    deployments: await store.deployments(SCOPE.project, SCOPE.environment),
    up: (await store.environment(SCOPE.project, SCOPE.environment))?.wanted === 'up',
  };
}

/** What happened on the machine, for rules about more than a moment. */
export interface Witness {
  /** Every id that a job was ever started with. */
  jobs: Set<string>;
  /** When a release last answered a request through the edge. */
  answered: Map<string, number>;
}

/** Rules about the edge's table: what has traffic, and how much. */
export async function checkTable(machine: Machine, table: Iterable<EdgeService>, truth: Truth): Promise<void> {
  for (const { service, releases, routes } of table) {
    const sum = releases.reduce((total, { weight }) => total + weight, 0);
    must(sum === 100 || sum === 0, 'weights sum to 100', { service, releases });
    if (routes.length === 0) continue;
    for (const { release, weight } of releases) if (weight > 0) checkFits(service, release, truth);
    for (const { release, weight } of releases) if (weight > 0) await checkVerified(machine, service, release, truth);
  }
}

/** Once a contract has begun, what is older has no traffic: it may not find what it needs. */
function checkFits(service: string, release: string, { deployments }: Truth): void {
  const contracted = deployments.find((each) => each.service === service)?.contracted ?? null;
  must(contracted === null || numberOf(release) >= numberOf(contracted), 'nothing goes back past a contract', {
    release,
    contracted,
  });
}

const numberOf = (release: string): number => Number(release.split('@')[1]);

async function checkVerified(machine: Machine, service: string, release: string, truth: Truth): Promise<void> {
  const into = truth.rollouts.filter((each) => each.services.some((part) => part.to === release));
  const served = truth.rollouts.some(
    (each) =>
      each.services.some((part) => part.from === release) || each.removes.some((part) => part.release === release),
  );
  const verified = into.some(
    (each) => each.verified.includes(service) || PHASES.indexOf(each.phase) >= PHASES.indexOf('canary'),
  );
  must(served || verified, 'a release has traffic only once verified', { release });
  for (const rollout of into) {
    const part = rollout.services.find((each) => each.service === service);
    if (part?.migrates !== true || PHASES.indexOf(rollout.phase) < PHASES.indexOf('canary')) continue;
    const attempt = rollout.attempts[`migrate.${service}`] ?? 1;
    const ids = [`${rollout.id}.migrate.${service}`, `${rollout.id}.migrate.${service}.${attempt}`];
    const states = await Promise.all(ids.map((id) => machine.jobs.observe(id)));
    const done = states.some((each) => each.state === 'ended' && each.exit === 0);
    const forgotten = states.every((each) => each.state === 'absent');
    const waived = rollout.waived.includes(`migrate.${service}`);
    must(done || waived || (forgotten && rollout.settled), 'nothing has traffic before its migration', {
      release,
      states,
    });
  }
}

/** Rules about what is stored at any moment. */
export function checkStored({ rollouts, deployments, up }: Truth): void {
  const active = rollouts.filter((each) => each.end === null && !isPromoted(each));
  const names = active.flatMap((each) => each.services.map(({ service }) => service));
  must(new Set(names).size === names.length, 'one active rollout for each service', {
    active: active.map(({ id }) => id),
  });
  if (!up) return;
  checkUnits({ rollouts, deployments, up });
  for (const each of desiredServices(deployments, rollouts)) {
    const sum = each.releases.reduce((total, { weight }) => total + weight, 0);
    must(sum === 100 || sum === 0, 'desired weights sum to 100', each);
    must(each.releases.length <= 3, 'at most two releases are hot, and one is kept', each);
  }
}

/** The former release stays until its rollout has ended. */
export function checkHot(release: string, { rollouts, up }: Truth, upFor: number): void {
  if (!up || upFor < HELD_UP_MS) return;
  for (const rollout of rollouts) {
    if (rollout.end !== null || rollout.phase === 'contracting') continue;
    const part = rollout.services.find((each) => each.from === release && each.to !== release);
    const newer = rollouts.some(
      (each) => each.createdAt > rollout.createdAt && each.services.some(({ service }) => service === part?.service),
    );
    must(part === undefined || !staysHot(part) || newer, 'the former release stops only after the window', {
      release,
      rollout: rollout.id,
    });
  }
}

/** What is compared does not lose instances while it is. */
export function checkUnderWay(release: string, { rollouts, up }: Truth, upFor: number): void {
  if (!up || upFor < HELD_UP_MS) return;
  for (const rollout of rollouts) {
    if (rollout.end !== null || !['verifying', 'canary', 'promoting'].includes(rollout.phase)) continue;
    must(
      !rollout.services.some((each) => each.from === release || each.to === release),
      'nothing is taken away while releases are compared',
      { release, rollout: rollout.id, phase: rollout.phase },
    );
  }
}

/**
 * A look that was held up decides by what it saw when it began: by then a person may have asked for something else. So
 * long may a controller be stopped, and wait for an answer after that, ms.
 */
const HELD_UP_MS = 45_000;

/** Who asked to take it back, and was recorded well before it went on. */
export function checkHeeded(before: Rollout | null, after: Rollout, asked: OperatorRequest[], now: number): void {
  if (before === null || before.phase === 'watching' || before.phase === after.phase || after.end !== null) return;
  const taker = asked.find(
    (each) => ['abort', 'reject', 'rollback', 'supersede'].includes(each.kind) && now - each.at > HELD_UP_MS,
  );
  must(taker === undefined, 'taking back wins from every phase', { id: after.id, to: after.phase, taker });
}

/** A rollout as it was and as it is now. */
export function checkTransition(before: Rollout | null, after: Rollout, witness: Witness, skewed: boolean): void {
  if (before === null) return;
  const where = { id: after.id, from: before.phase, to: after.phase, end: after.end, reason: after.reason };
  must(before.end === null || after.end === before.end, 'an end is final', where);
  must(
    PHASES.indexOf(after.phase) >= PHASES.indexOf(before.phase) || after.end !== null,
    'phases only go forward',
    where,
  );
  must(after.fence >= before.fence, 'the fence only grows', { ...where, before: before.fence, after: after.fence });
  if (after.phase === 'watching' && before.phase !== 'watching' && after.end === null) {
    for (const { service, to, kind } of after.services) {
      if (kind === 'worker') continue;
      const at = witness.answered.get(to);
      must(at !== undefined, 'success is said only after an answer through the edge', { ...where, service });
    }
    must(after.approvals.length >= after.approvalsNeeded, 'the gate waits for approvals', where);
  }
  const judged = Object.values(before.analysis).length > 0 && before.policy.onInconclusive !== 'promote';
  const byPerson = after.requestSeq !== before.requestSeq || before.paused !== null;
  if (before.phase === 'canary' && after.phase === 'promoting' && after.end === null && judged && !byPerson) {
    const verdicts = Object.values(after.analysis).map(({ verdict }) => verdict);
    must(
      before.step >= before.policy.canary.length ||
        verdicts.every((each) => each?.verdict === 'pass' && each.canaryRequests > 0),
      'nothing passes without data',
      { ...where, verdicts },
    );
  }
  if (after.phase === 'contracting' && before.phase !== 'contracting' && !skewed)
    must(
      after.phaseSince - (after.promotedAt ?? 0) >= after.policy.rollbackWindowMs,
      'a contract waits for the window',
      where,
    );
  if (after.end === 'complete' && before.end === null && !byPerson && !skewed) {
    const watched = (after.endedAt ?? 0) - (after.promotedAt ?? 0);
    const superseded = after.reason.includes('superseded');
    must(superseded || watched >= after.policy.rollbackWindowMs, 'a window lasts as long as it is said to', where);
  }
}

/** A job that takes away what only former releases needed, as it is started. */
export async function checkContract(machine: Machine, id: string): Promise<void> {
  const [, rolloutId = '', service = ''] = /^(.+)\.contract\.([a-z]+)(\.\d+)?$/.exec(id) ?? [];
  const rollout = await machine.store.rollout(rolloutId);
  const part = rollout?.services.find((each) => each.service === service);
  must(
    rollout?.phase === 'contracting' && rollout.contract[service] === 'begun',
    'a contract is written down before it begins',
    { id },
  );
  const instances = await machine.runtime.observe(SCOPE);
  const old = instances.filter((each) => each.release === part?.from && each.state !== 'ended');
  must(old.length === 0, 'a contract begins when the former release is gone', { id, old: old.map((each) => each.id) });
  for (let attempt = 1; attempt < (rollout.attempts[`contract.${service}`] ?? 1); attempt++) {
    const before = await machine.jobs.observe(
      attempt === 1 ? `${rolloutId}.contract.${service}` : `${rolloutId}.contract.${service}.${attempt}`,
    );
    must(before.state !== 'ended' || before.exit !== 0, 'a contract that ended well is not run again', { id, before });
  }
}

/** One that is kept for a look is settled by the next rollout, and a window waits while its environment is down. */
export const isOver = (rollout: Rollout, up: boolean): boolean =>
  rollout.end === null ? !up && rollout.phase === 'watching' : rollout.settled || rollout.policy.keepFailed;

/** Once nothing goes wrong any more: everything has ended, and the world is as what is stored wants it. */
export async function checkSettled(machine: Machine): Promise<void> {
  const truth = await truthOf(machine);
  for (const each of truth.rollouts)
    must(isOver(each, truth.up), 'every rollout ends', {
      id: each.id,
      phase: each.phase,
      end: each.end,
      settled: each.settled,
      paused: each.paused,
      reason: each.reason,
    });
  const desired = truth.up ? desiredServices(truth.deployments, truth.rollouts) : [];
  const wanted = new Set(
    desired.flatMap((each) => each.releases.filter(({ run }) => run).map(({ release }) => release)),
  );
  const instances = await machine.runtime.observe(SCOPE);
  const running = instances.filter((each) => each.state !== 'ended');
  for (const each of running)
    must(wanted.has(each.release), 'what nobody wants does not run', { id: each.id, wanted: [...wanted] });
  for (const release of wanted)
    if (
      !release.startsWith('tidy@') &&
      machine.worth(release) === 'good' &&
      !instances.some((each) => each.release === release && machine.confused.has(each.id))
    )
      must(
        running.some((each) => each.release === release),
        'what is wanted runs',
        { release },
      );
  for (const { service, current } of truth.deployments) {
    if (!truth.up || current === null) continue;
    const entry = machine.edge.table.get(`shop/production/${service}`)?.config;
    if (entry === undefined) continue;
    const weights = entry.releases.filter(({ weight }) => weight > 0).map(({ release }) => release);
    must(weights.join() === current, 'what serves has all traffic', { service, current, weights });
  }
  const runs = await machine.store.runs({ ...SCOPE, running: true });
  const addresses = await machine.store.addresses(SCOPE.project, SCOPE.environment);
  for (const { release } of addresses)
    must(
      wanted.has(release) || [...instances, ...runs].some((each) => each.release === release),
      'addresses go with who asks',
      { release },
    );
  checkTakenBack(truth);
  for (const each of truth.rollouts) await checkStory(machine, each);
  await checkRuns(machine, truth.up);
}

/** Every time of the schedule is accounted for, and what has ended has said how. */
async function checkRuns(machine: Machine, up: boolean): Promise<void> {
  const runs = await machine.store.runs({ ...SCOPE, limit: 10_000 });
  for (const run of runs) {
    must((run.endedAt === null) === (run.state === 'running'), 'a run that is over has its end', run);
    must(run.reason !== '', 'a run says why', run);
    must(up || run.state !== 'running', 'nothing runs of what is brought down', run);
    const job = (await machine.jobs.observe(runId(run))).state;
    must(
      run.state === 'running' || job === 'absent' || machine.diskFull,
      'the job of a run that is over is forgotten',
      { run, job },
    );
  }
}

async function checkStory(machine: Machine, rollout: Rollout): Promise<void> {
  const lines = await machine.store.journal(rollout.id);
  lines.forEach((line, index) => {
    const before = lines[index - 1];
    must(line.reason !== '', 'every transition has its reason', line);
    must(line.seq === index + 1, 'the story has no gap', line);
    must(before === undefined || line.from === before.to || line.from === line.to, 'the story has no gap', {
      before,
      line,
    });
  });
  must(lines.at(-1)?.to === (rollout.end ?? rollout.phase), 'the story ends where the rollout is', lines.at(-1));
}
