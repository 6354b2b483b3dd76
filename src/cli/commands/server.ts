import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../lib/format.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import type { ServerInfo } from '../../api/contract/server.ts';
import type { Style } from '../screen/style.ts';
import type { ExitCode } from '../deps.ts';

export const server: CommandSpec = {
  name: 'server',
  summary: 'the processes behind it all: run, look, stop, install',
  description:
    '`up` and `deploy` start them by themselves. Alone, this runs them in the foreground, for a service manager or for a look.',
  examples: [
    { command: 'evenkeel server', means: 'in the foreground, until Ctrl-C' },
    { command: 'sudo evenkeel server install --write', means: 'as a service that comes back after a reboot' },
  ],
  subcommands: [
    { name: 'run', summary: 'run in the foreground, until Ctrl-C', run: foreground },
    { name: 'status', summary: 'whether it runs', run: status },
    {
      name: 'stop',
      summary: 'stop controller, edge and keeper',
      description:
        'Without the edge nothing answers on the public ports. Instances go on running unless --instances is given.',
      options: [{ flags: '--instances', description: 'stop all instances too' }],
      run: stop,
    },
    {
      name: 'restart',
      summary: 'new controller and edge, after an update of evenkeel',
      description:
        'What runs stays as it was when it was started. This puts a new controller and a new edge in the place of the present ones; no connection is lost, and rollouts go on. The keeper, which only holds the sockets, stays.',
      examples: [{ command: 'evenkeel server restart', means: 'what was installed just now takes over' }],
      run: restart,
    },
    {
      name: 'restart-edge',
      summary: 'put a new edge in the place of the present one',
      description:
        'No connection is lost: the new one takes over the listening sockets, the old one finishes what it has.',
      run: restartEdge,
    },
    {
      name: 'install',
      summary: 'print the systemd unit, or write it',
      options: [{ flags: '--write', description: 'write it to its place' }],
      examples: [{ command: 'sudo evenkeel server install --write', means: 'then the commands that it names' }],
      run: install,
    },
  ],
  run: foreground,
};

async function foreground(context: Context): Promise<ExitCode> {
  const { deps, out } = context;
  // To a service manager this one and the one that runs are the same, and ending this one ends that. Who tries it in a
  // terminal, and leaves with Ctrl-C, does not mean to stop what serves.
  const running = deps.stderr.isTTY === true ? await alreadyRunning(context) : null;
  if (running !== null)
    throw new EvenkeelError({
      code: 'server-running',
      what: `the evenkeel server runs already (process ${running})`,
      next: 'nothing has to be done; `evenkeel server status` looks at it. To run it here, stop that one first: `evenkeel server stop`',
    });
  out.remark('The evenkeel server runs in the foreground; Ctrl-C stops it. Instances go on running.');
  return deps.runServer();
}

/** The process of the server that runs now; null when none does. */
async function alreadyRunning(context: Context): Promise<number | null> {
  try {
    return (await (await context.client()).getServer({})).pid;
  } catch {
    return null;
  }
}

async function status(context: Context): Promise<void> {
  const { out, deps } = context;
  const info = await (await context.client()).getServer({});
  const { style } = out;
  const { edgeWorkers } = info;
  const workers = edgeWorkers === undefined ? '' : ` with ${edgeWorkers} ${edgeWorkers === 1 ? 'worker' : 'workers'}`;
  const edge = info.edge ? `the edge answers${workers}` : style.yellow('the edge does not answer');
  out.line(
    `${style.green(style.symbols.done)} The server runs (${info.version}, process ${info.pid}, for ${formatDuration(deps.now() - info.startedAt)}); ${edge}.`,
    `  ${style.dim(info.home)}`,
    ...standingLines(info, style),
  );
  out.data(info);
}

/** Nothing is said of one controller with its store in a file. */
function standingLines({ standing }: ServerInfo, style: Style): string[] {
  if (standing === undefined || standing.store === 'file') return [];
  const { fence, acts, controllers } = standing;
  const others = controllers.filter(({ role }) => role !== 'acts');
  const byRole = (role: string): string => {
    const pids = others.filter((each) => each.role === role).map(({ pid }) => pid);
    return pids.length === 0
      ? ''
      : `; ${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')} ${pids.length === 1 ? role : role.replace(/s\b/, '')}`;
  };
  const acting = acts
    ? `  The controller acts with fence ${fence}`
    : style.yellow(`  The database does not answer, so nothing is decided; abort and rollback work`);
  return [`${acting}${byRole('stands by')}${byRole('starts')}.`];
}

async function stop(context: Context, input: Input): Promise<void> {
  const { out } = context;
  const instances = input.flag('instances');
  const client = await context.client();
  const { environments } = await client.getStatus({});
  const serving = environments
    .filter(({ wanted }) => wanted === 'up')
    .map((each) => `${each.project} ${each.environment}`);
  if (serving.length > 0) await confirm(context, `Stop answering for ${serving.join(', ')}?`);
  await client.stopServer({ instances });
  out.line(
    `${out.style.green(out.style.symbols.done)} Stopped.${instances ? '' : ' Instances go on running.'} evenkeel up starts it again.`,
  );
  out.data({ stopped: true, instances });
}

/** How long a new controller may take to answer, ms. */
const RESTART_MS = 30_000;

async function restart(context: Context): Promise<ExitCode> {
  const { out, deps } = context;
  const { pid, startedAt, standing } = await (await context.client()).getServer({});
  // The keeper starts another as soon as one has left, from the files that are there now. Those that stand by first:
  // one of them takes over.
  for (const each of standing?.controllers ?? []) if (each.pid !== pid) endQuietly(deps, each.pid);
  deps.endProcess(pid);
  const deadline = performance.now() + RESTART_MS;
  for (;;) {
    await sleep(100);
    const now = await (await context.client()).getServer({}).catch(() => null);
    if (now !== null && now.startedAt !== startedAt) break;
    if (performance.now() > deadline)
      throw new EvenkeelError({
        code: 'server-not-restarted',
        what: 'no new controller has answered for 30 s',
        why: 'the present one did not end, or the new one cannot start; traffic and instances do not depend on it',
        next: 'evenkeel server status',
        exit: 2,
      });
  }
  out.line(`${out.style.green(out.style.symbols.done)} A new controller has taken over.`);
  return restartEdge(context);
}

function endQuietly(deps: Context['deps'], pid: number): void {
  try {
    deps.endProcess(pid);
  } catch {
    // It has ended meanwhile.
  }
}

async function restartEdge(context: Context): Promise<ExitCode> {
  const { out } = context;
  const { ok, reason } = await (await context.client()).restartEdge({});
  if (!ok)
    throw new EvenkeelError({
      code: 'edge-not-replaced',
      what: 'the edge was not replaced; the present one goes on',
      why: reason,
      exit: 2,
    });
  out.line(`${out.style.green(out.style.symbols.done)} A new edge has taken over. ${reason}`);
  out.data({ ok, reason });
  return 0;
}

async function install({ deps, out }: Context, input: Input): Promise<void> {
  const unit = await deps.systemdUnit();
  out.data(unit);
  if (!input.flag('write')) {
    out.line(unit.text.trimEnd());
    if (!out.json) out.remark(`\nBelongs to ${unit.path}; --write puts it there.`);
    return;
  }
  await writeFile(unit.path, unit.text, { mode: 0o644 }).catch((cause: NodeJS.ErrnoException) => {
    throw new EvenkeelError({
      code: 'file-unwritable',
      what: `${unit.path} cannot be written`,
      why: cause.code === 'ENOENT' ? 'there is no systemd on this machine' : (cause.code ?? cause.message),
      next:
        cause.code === 'EACCES'
          ? 'sudo evenkeel server install --write'
          : 'evenkeel server install, and put it where it belongs',
      cause,
    });
  });
  out.line(
    `${out.style.green(out.style.symbols.done)} Wrote ${unit.path}. Now:`,
    ...unit.commands.map((command) => `  ${command}`),
  );
}
