import { DEFAULT_HEALTH, defaultRollout } from '../defaults.ts';
import { problemAt } from '../problem.ts';
import type { Complaint, Problem } from '../problem.ts';
import type { WrittenService } from '../schema/service.ts';
import { descend, keyPlace, nearest } from '../tree.ts';
import type { Tree } from '../tree.ts';

/** A service as it is written for one environment. */
export interface Subject {
  name: string;
  environment: string;
  written: WrittenService;
  /** The merged tree that `written` was read from. */
  tree: Tree;
  isAsked: boolean;
  /** Its Dockerfile says how it runs. */
  onCloudRun: boolean;
}

type Report = (path: readonly string[], complaint: Omit<Complaint, 'code'> & { code?: Complaint['code'] }) => void;

/** Values that are right by themselves and wrong together. */
export function contradictionsOf(subject: Subject): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, complaint) => {
    const value = descend(subject.tree, path);
    const at = value?.path ?? [...nearest(subject.tree, path).path];
    problems.push(problemAt(keyPlace(subject.tree, path), at, { code: 'contradiction', ...complaint }));
  };
  checkWhatItIs(subject, report);
  checkHealth(subject, report);
  checkCanary(subject, report);
  checkRollout(subject, report);
  checkInstances(subject, report);
  checkOverlap(subject, report);
  checkSchedule(subject, report);
  checkData(subject, report);
  checkMigrations(subject, report);
  return problems;
}

const NOT_FOR_STATIC = [
  'run',
  'migrate',
  'migrations',
  'contract',
  'check',
  'health',
  'instances',
  'resources',
  'data',
  'stopGrace',
  'env',
  'overlap',
];

function checkWhatItIs({ name, written, tree, isAsked, onCloudRun }: Subject, report: Report): void {
  const has = (key: string): boolean => descend(tree, [key]) !== undefined;
  if (has('static')) {
    for (const key of NOT_FOR_STATIC) {
      // The build of a folder may well need variables.
      if (!has(key) || (key === 'env' && has('build'))) continue;
      const message = `\`${key}\` is for programs, and \`${name}\` is a folder of static files`;
      report([key], { message, hint: `take out \`${key}\` or \`static\`` });
    }
  } else if (!has('run') && !onCloudRun) {
    const hint = has('dev') ? '`dev` does not replace it' : null;
    const message = `\`${name}\` has neither \`run\` nor \`static\``;
    report([], { code: 'missing-key', message, expected: '`run: COMMAND` or `static: FOLDER`', hint });
  }
  const routed = (written.routes ?? []).length > 0;
  if (has('check') && routed) {
    const message = '`check` is for services without routes';
    report(['check'], { message, hint: 'use `smoke`: it asks the new release before it takes traffic' });
  }
  if (written.public === true && !routed && !has('routes') && !onCloudRun) {
    report(['public'], { message: '`public: true` says nothing without `routes`', hint: 'add `routes: [/]`' });
  }
  if (!routed && !isAsked && !has('routes')) {
    const asks = (written.smoke ?? []).some((one) => (typeof one === 'string' ? one.startsWith('/') : 'path' in one));
    if (asks) {
      const message = `\`smoke\` asks over HTTP, and nothing sends requests to \`${name}\``;
      report(['smoke'], { message, hint: 'add `routes`, or use `check: COMMAND`' });
    }
  }
}

function checkHealth({ written }: Subject, report: Report): void {
  const { health } = written;
  if (health === undefined || health === false) return;
  const deadline = health.deadline ?? DEFAULT_HEALTH.deadlineMs;
  if (health.grace !== undefined && health.grace >= deadline) {
    const message = '`grace` must be shorter than `deadline`: no failure would ever count';
    report(['health', 'grace'], { message });
  }
  const start = written.rollout?.deadlines?.start;
  if (start !== undefined && start < deadline) {
    const message = '`deadlines.start` is shorter than the deadline of `health`';
    report(['rollout', 'deadlines', 'start'], { message, hint: 'make it at least as long' });
  }
}

function checkCanary({ name, environment, written, tree }: Subject, report: Report): void {
  const canary = written.rollout?.canary;
  const path = ['rollout', 'canary'];
  const steps = descend(tree, path);
  if (canary !== undefined && canary.length > 0 && steps?.path[0] !== 'environments' && !hasRoutes(written, tree)) {
    const message = `\`${name}\` has no routes, so there are no sessions to give a share of`;
    report(path, { message, hint: 'take out `canary`, or add `routes`' });
  }
  canary?.forEach((step, index) => {
    const former = canary[index - 1];
    if (former === undefined || step.weight > former.weight) return;
    const message = `the weights of a canary must rise: ${step.weight} % follows ${former.weight} %`;
    report([...path, String(index), 'weight'], { message });
  });
  const base = defaultRollout(environment);
  const limits = written.rollout?.analysis;
  const judged = [
    limits?.errorRate === undefined ? base.analysis.errorRate : limits.errorRate,
    limits?.p95 === undefined ? base.analysis.p95Ms : limits.p95,
  ];
  if (judged.every((limit) => limit === null) && (canary ?? base.canary).length > 0) {
    const message = 'a canary is judged by `errorRate` or `p95`, and both are off';
    report(['rollout', 'analysis'], { message, hint: 'leave one of them on, or write `canary: false`' });
  }
}

function checkRollout({ environment, written }: Subject, report: Report): void {
  const { rollout, keepFailed } = written;
  if (keepFailed !== undefined && rollout?.keepFailed !== undefined && rollout.keepFailed !== keepFailed) {
    report(['keepFailed'], { message: '`keepFailed` and `rollout.keepFailed` say different things', hint: 'keep one' });
  }
  const window = rollout?.rollbackWindow ?? defaultRollout(environment).rollbackWindowMs;
  if ((rollout?.holdback ?? 0) > 0 && window === 0) {
    const message = '`holdback` keeps sessions on the former release during the rollback window, which is 0';
    report(['rollout', 'holdback'], { message, hint: 'make `rollbackWindow` longer' });
  }
}

function checkInstances({ written }: Subject, report: Report): void {
  const { instances } = written;
  if (typeof instances !== 'object' || instances.max >= instances.min) return;
  report(['instances', 'max'], { message: '`max` is less than `min`', hint: 'turn them round' });
}

const NOT_FOR_SCHEDULED = [
  'routes',
  'health',
  'instances',
  'smoke',
  'static',
  'overlap',
  'timeout',
  'port',
  'public',
  'dev',
];

/** It runs as a job: nobody asks it, and there is one of it at a time. */
function checkSchedule({ name, tree, isAsked }: Subject, report: Report): void {
  if (descend(tree, ['schedule']) === undefined) return;
  for (const key of NOT_FOR_SCHEDULED) {
    if (descend(tree, [key]) === undefined) continue;
    const message = `\`${key}\` is for services that run all the time, and \`${name}\` has a \`schedule\``;
    report([key], { message, hint: key === 'smoke' ? 'use `check: COMMAND`' : `take out \`${key}\` or \`schedule\`` });
  }
  const message = `another service uses the url of \`${name}\`, which only runs at its \`schedule\``;
  if (isAsked) report(['schedule'], { message, hint: 'let a service that runs all the time answer' });
}

/** What cannot run twice is never beside its successor, so whatever needs two of it at once contradicts that. */
function checkOverlap({ name, written, tree }: Subject, report: Report): void {
  if (written.overlap !== false || descend(tree, ['static']) !== undefined) return;
  const cannot = `\`${name}\` cannot run twice (\`overlap: false\`)`;
  const { instances, rollout, keepFailed } = written;
  const most = typeof instances === 'object' ? instances.max : (instances ?? 1);
  if (most > 1) report(['instances'], { message: `${cannot}, so it has one instance`, hint: 'take out `instances`' });
  // What an environment says of all services is not said of this one.
  const own = (key: string): boolean => {
    const path = descend(tree, ['rollout', key])?.path ?? [];
    return path[0] !== 'environments' || path[2] === 'services';
  };
  if ((rollout?.canary ?? []).length > 0 && own('canary')) {
    const message = `${cannot}: its former release stops before the new one starts, so no sessions can be shared out`;
    report(['rollout', 'canary'], { message, hint: 'take out `canary`, or `overlap`' });
  }
  if ((rollout?.holdback ?? 0) > 0 && own('holdback')) {
    const message = `${cannot}: no session can stay with its former release`;
    report(['rollout', 'holdback'], { message, hint: 'take out `holdback`, or `overlap`' });
  }
  const kept = { message: `${cannot}: a failed release cannot stay beside the one that serves`, hint: 'take it out' };
  if (keepFailed === true) report(['keepFailed'], kept);
  if (rollout?.keepFailed === true && own('keepFailed')) report(['rollout', 'keepFailed'], kept);
}

function checkData({ written }: Subject, report: Report): void {
  const folders = written.data ?? [];
  folders.forEach((folder, index) => {
    const path = ['data', String(index)];
    if (folder === '.') {
      report(path, { message: '`data` is a folder inside `dir`, not all of it', hint: 'name the folder' });
    }
    const outer = folders.find((other) => other !== '.' && folder.startsWith(`${other}/`));
    if (outer !== undefined) {
      const message = `\`${folder}\` is inside \`${outer}\`, which is shared already`;
      report(path, { message, hint: 'keep the outer one' });
    }
  });
}

function checkMigrations({ written }: Subject, report: Report): void {
  if (written.migrations === undefined || written.migrate !== undefined) return;
  const message = '`migrations` says how the files of `migrate` are looked at, and there is no `migrate`';
  report(['migrations'], { message, hint: 'add `migrate: COMMAND`' });
}

function hasRoutes(written: WrittenService, tree: Tree): boolean {
  return (written.routes ?? []).length > 0 || (descend(tree, ['routes']) !== undefined && written.routes === undefined);
}
