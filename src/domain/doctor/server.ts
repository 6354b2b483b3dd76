import type { ProcessState, ServerFacts } from './facts.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

export function serverFindings(server: ServerFacts, logs: string): Finding[] {
  return [...processFindings(server, logs), ...answerFindings(server, logs)];
}

function processFindings({ processes, answer }: ServerFacts, logs: string): Finding[] {
  if (processes === null) return [];
  const { keeper, controller, edge, controllerFailures } = processes;
  const found: Finding[] = [];
  const named: [string, { pid: number; state: ProcessState } | null][] = [
    ['keeper', keeper],
    ['controller', controller],
    ['edge', edge],
  ];
  const { standingBy, controllersWanted } = processes;
  for (const each of standingBy) named.push(['controller that stands by', each]);
  for (const [name, each] of named) {
    if (each?.state !== 'stopped') continue;
    found.push(
      problem(
        'processes',
        `the ${name} (process ${each.pid}) was stopped by a signal and does nothing`,
        `kill -CONT ${each.pid}`,
      ),
    );
  }
  if (keeper.state === 'dead' && edge !== null && edge.state !== 'dead')
    found.push(
      problem(
        'processes',
        `the edge (process ${edge.pid}) has no keeper`,
        'evenkeel up: a keeper takes over from it, without a lost connection',
      ),
    );
  if (keeper.state === 'dead' && controller !== null && controller.state !== 'dead')
    found.push(
      problem(
        'processes',
        `the controller (process ${controller.pid}) has no keeper`,
        `kill ${controller.pid}, then evenkeel up`,
      ),
    );
  if (keeper.state === 'alive' && controllerFailures > 0)
    found.push(
      (controllerFailures > 3 ? problem : warning)(
        'processes',
        `the controller has ended ${controllerFailures} times since it was last ready`,
        `the reason is at the end of ${logs}/controller.log and ${logs}/controller.out.log`,
      ),
    );
  if ((processes.dumpingCore ?? []).length > 0)
    found.push(
      warning(
        'processes',
        `a crash of the ${(processes.dumpingCore ?? []).join(' or the ')} would leave its memory, with secrets in it, in a core file`,
        'install prlimit (util-linux), then evenkeel server stop and evenkeel up',
      ),
    );
  if (keeper.state === 'alive' && standingBy.length < controllersWanted - 1)
    found.push(
      warning(
        'processes',
        `${standingBy.length} of ${controllersWanted - 1} controllers ${controllersWanted === 2 ? 'stands' : 'stand'} by to take over`,
        `one that has just ended is there again in a moment; else look at ${logs}/controller.log`,
      ),
    );
  if (found.length === 0 && keeper.state === 'alive' && answer.kind === 'answer')
    found.push(
      ok(
        'processes',
        `keeper ${keeper.pid}, controller ${controller?.pid ?? 'none'} and edge ${edge?.pid ?? 'none'} run${standingBy.length === 0 ? '' : `; ${standingBy.length === 1 ? 'controller' : 'controllers'} ${standingBy.map(({ pid }) => pid).join(', ')} ${standingBy.length === 1 ? 'stands' : 'stand'} by`}`,
      ),
    );
  return found;
}

function answerFindings(server: ServerFacts, logs: string): Finding[] {
  const { answer, processes, version } = server;
  const keeperRuns = processes !== null && processes.keeper.state !== 'dead';
  if (answer.kind === 'none') {
    if (processes === null) return [ok('server', 'no server has run here yet; `evenkeel up` starts it')];
    if (!keeperRuns)
      return [
        warning('server', 'the server does not run, so the store was not checked', 'evenkeel up, or evenkeel server'),
      ];
    return [problem('server', 'the keeper runs, and no controller answers', `look at ${logs}/controller.log`)];
  }
  if (answer.kind === 'silent') {
    const pid = processes?.controller?.pid;
    const next =
      pid === undefined || processes?.controller?.state === 'dead'
        ? `look at ${logs}/controller.log`
        : `kill -9 ${pid}: the keeper starts another, and traffic does not notice`;
    return [problem('server', `the controller does not answer: ${answer.why}`, next)];
  }
  const found = [...versionFindings(version, answer.version, processes?.keeper.version ?? null)];
  found.push(
    answer.edge
      ? ok('edge', 'the edge answers')
      : problem('edge', 'the edge does not answer the controller', 'evenkeel server restart-edge'),
  );
  if (answer.storeAway)
    found.push(
      problem(
        'store',
        'the store does not answer, so nothing is decided; what serves goes on serving',
        'see that its database runs and can be reached; `evenkeel abort` and `evenkeel rollback` work meanwhile',
      ),
    );
  if (answer.unwritten > 0)
    found.push(
      warning(
        'store',
        `${answer.unwritten} ${answer.unwritten === 1 ? 'request' : 'requests'} to take back, carried out at the edge, ${answer.unwritten === 1 ? 'is' : 'are'} still to be written`,
        'nothing: it is written as soon as the store answers',
      ),
    );
  for (const { file, why } of answer.databases)
    if (why !== null)
      found.push(
        problem(
          'store',
          `${file} is damaged: ${why}`,
          `evenkeel server stop, move ${file} (and its -wal and -shm) aside, and put it back from a backup; what serves goes on serving`,
        ),
      );
  if (answer.databases.length > 0 && answer.databases.every(({ why }) => why === null))
    found.push(ok('store', `${answer.databases.length} databases are sound`));
  return found;
}

function versionFindings(cli: string, controller: string, keeper: string | null): Finding[] {
  if (cli !== controller)
    return [
      warning(
        'versions',
        `this is evenkeel ${cli}, and the server that runs is ${controller}`,
        'evenkeel server restart',
      ),
    ];
  if (keeper !== null && keeper !== cli)
    return [
      warning(
        'versions',
        `the keeper is of evenkeel ${keeper}, and everything else of ${cli}`,
        'nothing needs it now; the next `evenkeel server stop` and `evenkeel up` replace it',
      ),
    ];
  return [ok('versions', `evenkeel ${cli}, and so is the server that runs`)];
}
