import { decide } from '../../../src/domain/rollout/decide.ts';
import { desiredServices, staysHot } from '../../../src/domain/rollout/desired.ts';
import { mustGiveWay } from '../../../src/domain/rollout/giving-way.ts';
import { PHASES, type Phase, type Rollout } from '../../../src/domain/rollout/rollout.ts';
import type { Step } from './look.ts';
import { checkJudged, checkUnit } from './unit-rules.ts';
import { desiredOf, runningJobs, type World } from './world.ts';

/** The rules of a rollout that can be seen from outside, each as a check that throws with what it saw. */

function must(holds: boolean, rule: string, seen: unknown): asserts holds {
  if (!holds) throw new Error(`${rule}: ${JSON.stringify(seen)}`);
}

const TAKES_BACK = ['abort', 'reject', 'rollback', 'supersede'];
const reached = (rollout: Rollout, phase: Phase): boolean => PHASES.indexOf(rollout.phase) >= PHASES.indexOf(phase);

/** Rules about one decision, whatever was seen. */
export function checkDecision(step: Step): void {
  const { before, observed, decision, at } = step;
  const { next, journal, wakeAt, reason } = decision;
  const where = { phase: before.phase, next: next.phase, end: next.end, reason };

  must(
    JSON.stringify(decide(before, observed, at)) === JSON.stringify(decision),
    'the same arguments decide the same',
    where,
  );
  must(reason !== '' && journal.every((line) => line.reason !== ''), 'every decision has its reason', where);
  must(journal.length <= 1, 'one transition at a time', journal);
  must(next.phase === before.phase || journal.length === 1, 'every transition is written down', where);
  for (const line of journal) {
    must(line.from === before.phase && line.to === (next.end ?? next.phase), 'the story has no gap', {
      line,
      ...where,
    });
    must(before.end === null, 'an ended rollout writes nothing', where);
  }
  must(
    decision.actions.length === 0 || journal.length === 0,
    'nothing is done before a transition is written down',
    where,
  );
  if (before.end !== null) {
    must(
      next.end === before.end && next.endedAt === before.endedAt && next.phase === before.phase,
      'an end is final',
      where,
    );
    return;
  }
  const promoted = before.phase === 'watching' || before.phase === 'contracting';
  const asked = observed.requests.filter((each) => each.seq > before.requestSeq);
  const takers = asked.filter((each) => TAKES_BACK.includes(each.kind));
  if (next.end === 'complete') must(promoted, 'only a promoted rollout completes', where);
  if (next.end === 'failed') must(!promoted, 'failed is before promotion', where);
  if (next.end === 'aborted') must(!promoted && takers.length > 0, 'aborted is by a person', where);
  if (next.end === 'rolled-back') must(before.phase === 'watching', 'rolled back is after promotion', where);

  if (takers.length > 0) {
    // What is said of a job that a service does not have, or whose turn has not come, holds nobody up.
    const migrates = before.services.some(
      (each) => each.migrates && observed.services[each.service]?.migration.state === 'running',
    );
    const open = before.services.find(
      ({ contracts, service }) =>
        contracts &&
        !before.waived.includes(`contract.${service}`) &&
        (observed.services[service]?.contract.state !== 'done' || before.contract[service] === undefined),
    );
    const contracts = observed.services[open?.service ?? '']?.contract.state === 'running';
    const halfDone = (before.phase === 'migrating' && migrates) || (before.phase === 'contracting' && contracts);
    const mayWait = halfDone && !takers.some((each) => each.force);
    const noWayBack = before.phase === 'watching' && before.services.every((each) => each.from === null);
    const late = reason.includes('longer than its deadline');
    must(!mayWait || next.end === null || late, 'half a migration is worse than a whole one', where);
    must(next.end !== null || mayWait || noWayBack, 'taking back wins from every phase', where);
    must(
      decision.actions.every((each) => each.kind === 'cancel-work'),
      'nothing is begun after an abort',
      where,
    );
  }
  if (next.end !== null) return;

  must(wakeAt !== null, 'time always moves it on', where);
  if (journal.length > 0) return;
  must(wakeAt > at, 'it does not ask to be woken for nothing', { ...where, in: wakeAt - at });
  // What was left of the requests is answered at the next look; here only time passes.
  const quiet = { ...observed, requests: takers };
  must(decide(next, quiet, wakeAt - 1).journal.length === 0, 'it wakes in time', where);
  must(decide(next, quiet, wakeAt).journal.length > 0, 'it wakes for something', where);
}

/** Rules about what takes away what only former releases needed. */
function checkContract({ before, observed, decision, at }: Step): void {
  const { next } = decision;
  const where = {
    phase: before.phase,
    next: next.phase,
    end: next.end,
    contract: next.contract,
    reason: decision.reason,
  };
  if (next.phase === 'contracting' && before.phase !== 'contracting') {
    const over = Math.max(0, at - before.phaseSince) >= before.policy.rollbackWindowMs;
    must(before.phase === 'watching' && over && !observed.superseded, 'a contract waits for the window', where);
  }
  for (const { service, from, contracts } of next.services) {
    const state = next.contract[service];
    const { contract, to, from: former } = observed.services[service] ?? {};
    if (state !== undefined && before.contract[service] === undefined)
      must(contracts && before.phase === 'contracting', 'only what is due is contracted', where);
    if (before.contract[service] === undefined && state === 'begun') {
      const gone = from === null || former?.present !== true;
      must(gone && !observed.superseded, 'a contract begins when nobody needs the old any more', where);
      must((to?.healthy ?? 0) > 0, 'a contract begins when the new release is well', where);
      must(observed.schemaBusy === null, 'a contract begins when nothing else changes the database', where);
    }
    const vouched = next.waived.includes(`contract.${service}`);
    if (state === 'done')
      must(vouched || before.contract[service] === 'done' || contract?.state === 'done', 'done was seen', where);
    if (before.phase === 'contracting' && next.end === 'complete' && contracts && state !== 'done')
      must(decision.reason.includes(`the contract of`), 'a contract that is left is said to be', where);
  }
  if (before.phase === 'contracting' && before.end === null)
    must(next.end === null || next.end === 'complete', 'there is no way back behind the window', where);
}

/**
 * Rules about progress, which trust what was observed; `lasting`: what was seen once stays so, which holds
 * anywhere but in noise.
 */
export function checkProgress(step: Step, lasting: boolean): void {
  const { before, observed, decision } = step;
  const { next } = decision;
  const where = { phase: before.phase, next: next.phase, end: next.end, reason: decision.reason };
  checkContract(step);
  checkJudged(step);
  if (
    before.phase === 'verifying' &&
    next.end === null &&
    (next.phase !== 'verifying' || next.paused?.reason === 'approval')
  ) {
    if (before.paused?.reason === 'approval' && next.phase === 'verifying') return;
    for (const each of next.services) {
      const { to, smoke, check, migration, build } = observed.services[each.service] ?? {};
      must(to !== undefined && to.healthy >= to.wanted && to.failure === null, 'only a healthy release goes on', where);
      const jobs = {
        migrate: [each.migrates, migration],
        smoke: [each.smokes, smoke],
        check: [each.checks, check],
      } as const;
      for (const [kind, [needed, work]] of Object.entries(jobs)) {
        const proven =
          !needed ||
          (!lasting && (kind === 'migrate' || before.verified.includes(each.service))) ||
          work?.state === 'done' ||
          next.waived.includes(`${kind}.${each.service}`);
        must(proven, `only a release whose ${kind} ended well goes on`, where);
      }
      must(!each.builds || !lasting || build?.state === 'done', 'only a built release goes on', where);
    }
  }
  const stepped = next.step > before.step || (before.phase === 'canary' && next.phase === 'promoting');
  const byPerson = next.requestSeq !== before.requestSeq;
  const measured = before.step < before.policy.canary.length;
  if (
    before.phase === 'canary' &&
    next.end === null &&
    stepped &&
    measured &&
    !byPerson &&
    before.policy.onInconclusive !== 'promote'
  ) {
    const verdicts = Object.values(next.analysis).map((each) => each.verdict);
    must(verdicts.length > 0, 'a canary is judged', where);
    for (const verdict of verdicts)
      must(verdict?.verdict === 'pass' && verdict.canaryRequests > 0, 'nothing passes without data', {
        verdict,
        ...where,
      });
  }
  if (next.phase === 'promoting' && before.phase !== 'promoting')
    must(next.approvals.length >= next.approvalsNeeded, 'the gate waits for approvals', where);
  if (next.phase === 'watching' && before.phase !== 'watching') {
    for (const each of next.services) {
      const { to, answered } = observed.services[each.service] ?? {};
      must((to?.healthy ?? 0) > 0, 'only what is healthy is promoted', where);
      if (each.kind === 'worker') continue;
      const said =
        observed.edgeReachable && answered?.release === each.to && answered.at >= Math.min(before.phaseSince, step.at);
      must(
        said && (to?.weight ?? 0) >= 100 - next.policy.holdback,
        'success is said after an answer through the edge',
        where,
      );
    }
  }
  if (before.phase !== 'watching' || next.end !== 'complete' || observed.superseded || byPerson) return;
  must(
    Object.values(next.analysis).every((each) => each.verdict !== null && each.verdict.verdict !== 'fail'),
    'the window is judged',
    where,
  );
}

/** Rules about what an environment ought to be, given what is stored. */
export function checkDesired(world: World): void {
  const { rollout } = world;
  checkUnit(rollout, desiredOf(world));
  for (const desired of desiredOf(world)) {
    const part = rollout.services.find((each) => each.service === desired.service);
    if (part === undefined) continue;
    const where = { phase: rollout.phase, end: rollout.end, step: rollout.step, desired };
    const { to, from, kind } = part;
    const find = (id: string | null) => desired.releases.find((each) => each.release === id);
    const sum = desired.releases.reduce((all, each) => all + each.weight, 0);
    const firstDeploy =
      from === null && !(rollout.end === null ? reached(rollout, 'canary') : rollout.end === 'complete');
    must(sum === (firstDeploy ? 0 : 100), 'weights sum to 100', { sum, ...where });
    must(
      new Set(desired.releases.map((each) => each.release)).size === desired.releases.length,
      'a release is named once',
      where,
    );
    must(desired.releases.filter((each) => each.run).length <= 2, 'at most two releases are hot', where);
    const held = rollout.end === null && rollout.held[desired.service] !== undefined && mustGiveWay(part);
    must(
      desired.releases.every((each) => each.weight === 0 || each.run || (held && each.release === from)),
      'what has traffic runs',
      where,
    );
    if (part.alone === true && from !== null)
      must(desired.releases.filter((each) => each.run).length <= 1, 'what cannot run twice does not', where);
    must(
      !held || reached(rollout, 'watching') || rollout.paused === null,
      'nobody waits for a person while a service is held',
      where,
    );
    if ((find(to)?.weight ?? 0) > 0) {
      must(
        rollout.services.every((each) => rollout.verified.includes(each.service)),
        'traffic only once verified',
        where,
      );
      must(rollout.end === null || rollout.end === 'complete', 'what was taken back has no traffic', where);
    }
    const contracting = rollout.end === null && rollout.phase === 'contracting';
    if (contracting)
      must(find(from) === undefined && find(to)?.weight === 100, 'the former release goes before the contract', where);
    if (
      rollout.end === null &&
      !contracting &&
      from !== null &&
      !held &&
      (staysHot(part) || !reached(rollout, 'promoting'))
    )
      must(find(from)?.run === true, 'the former release stays hot until the window ends', where);
    if (rollout.end === null && !staysHot(part) && reached(rollout, 'promoting'))
      must(find(from) === undefined, 'two versions of a worker do not share a queue after the switch', where);
    if (rollout.end !== null && rollout.end !== 'complete') {
      must(from === null || find(from)?.weight === 100, 'taken back, the former release serves', where);
      const kept = find(to)?.run === true;
      must(
        !kept || (rollout.policy.keepFailed && staysHot(part)),
        'what failed goes, unless it is kept for a look',
        where,
      );
    }
    const judged =
      rollout.end === null && !contracting && rollout.kind === 'deploy' && from !== null && kind !== 'worker';
    must(
      (desired.split !== null) === (judged && reached(rollout, 'canary')),
      'evidence is counted from the first traffic on',
      where,
    );
    must(rollout.end !== null || desired.unit === rollout.id, 'one unit for all sessions', where);
  }
}

/** A session that the canary has is not moved back by the next step. */
export function checkRaise(before: Rollout, after: Rollout, world: World): void {
  if (before.phase !== 'canary' || after.end !== null) return;
  const was = desiredServices(world.deployments, [before]);
  for (const now of desiredOf(world)) {
    if (after.phase !== 'canary') continue;
    const to = after.services.find((each) => each.service === now.service)?.to;
    const weight = (services: typeof was) =>
      services.find((each) => each.service === now.service)?.releases.find((each) => each.release === to)?.weight ?? 0;
    must(weight([now]) >= weight(was), 'weights of a canary only grow', { was: weight(was), now: weight([now]) });
  }
}

/** Rules about the whole story so far. */
export function checkStory(world: World): void {
  const { journal, rollout } = world;
  for (const [index, line] of journal.entries()) {
    const former = journal[index - 1];
    must(line.from === (former?.to ?? null), 'the story has no gap', { former, line });
  }
  must(journal.at(-1)?.to === (rollout.end ?? rollout.phase), 'the story ends where it stands', journal.at(-1));
  const changing = [...runningJobs(world, 'migrate'), ...runningJobs(world, 'contract')];
  must(changing.length <= 1, 'one migration or contract at a time', world.jobs);
}
