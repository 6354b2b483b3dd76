/**
 * The keeper: parent of controller and edge, holder of the listening sockets.
 *
 *   keeper [--adopt] [--stand-by] [--foreground]
 *
 * --adopt       an edge without keeper started it, and sends its sockets
 * --stand-by    when another keeper runs, wait for its end and take over; SIGTERM is passed on to the one that runs
 * --foreground  the log goes to standard error too
 */
import { sweepUnfinished } from '../platform/atomic-file.ts';
import { edgeWorkers } from '../platform/edge-workers.ts';
import { saveCodeCacheSoon } from '../platform/entry.ts';
import { lockHolder, takeLock } from '../platform/lock.ts';
import { evenkeelPaths, prepareHome } from '../platform/paths.ts';
import { refuseCoreDumps } from '../platform/process/core-dumps.ts';
import { controllerCount } from './controller-count.ts';
import { dashboardWanted } from './dashboard-port.ts';
import { runKeeper, type Keeper } from './keeper.ts';
import { keeperLog } from './keeper-log.ts';
import { adoption, endOrphan, turnWithoutSockets, type Turn } from './orphans.ts';
import { standBy } from './stand-by.ts';

const has = (flag: string): boolean => process.argv.includes(flag);

/** Until an edge without keeper must be gone, ms. */
const ORPHAN_GRACE = 2_000;
/** How long a lock may seem taken because somebody looks at it, or a keeper may take to leave, ms. */
const LOCK_WAIT = 300;

// At once, before anything is awaited: messages and signals that come without a listener are lost, or the end.
const adopting = has('--adopt') ? adoption() : null;
process.on('SIGHUP', () => {});

const { env } = process;
const paths = evenkeelPaths(env);
prepareHome(paths);
const say = keeperLog(paths, has('--foreground'));
process.on('uncaughtException', (error) => {
  say(`failed: ${error.stack ?? error.message}`);
  process.exit(1);
});

const controllers = controllerCount(env);
if (!controllers.ok) refuse(controllers.why);
const workers = edgeWorkers(env);
if (!workers.ok) refuse(workers.why);
const dashboard = dashboardWanted(env);
if (!dashboard.ok) refuse(dashboard.why);
const { count } = controllers;
const { at: dashboardAt } = dashboard;

const adopted = await adopting;
const turn = has('--stand-by') ? await standBy(paths, say) : await takeTurn();
if (turn === null) await leaveToTheOther();
else await run(turn);

function refuse(why: string): never {
  process.stderr.write(`${why}\n`);
  say(why);
  process.exit(1);
}

async function takeTurn(): Promise<Turn | null> {
  // Of an edge that died while it handed over there may be only a part of the sockets.
  if (adopted === null || adopted.edge === null) return turnWithoutSockets(paths, LOCK_WAIT);
  const lock = await takeLock(paths.keeperLock, { waitMs: LOCK_WAIT });
  return lock === null ? null : { lock, orphan: null };
}

async function leaveToTheOther(): Promise<void> {
  const holder = await lockHolder(paths.keeperLock);
  const keeperPid = holder.held ? holder.pid : null;
  say(`another keeper runs already (process ${keeperPid ?? 'unknown'}); nothing to do`);
  // Unless it is known who, the edge must not leave: it may be the last that holds the sockets. It tries again.
  if (keeperPid !== null) adopted?.link.send({ type: 'superfluous', keeperPid });
  adopted?.link.disconnect();
}

async function run({ lock, orphan }: Turn): Promise<void> {
  if (orphan !== null) await endOrphan(orphan, ORPHAN_GRACE, say);
  for (const folder of [paths.home, paths.edgeDir]) void sweepUnfinished(folder).catch(() => {});
  say(adopted === null ? 'started' : `started by an edge, with ${adopted.sockets.length} sockets`);
  const starting = Promise.withResolvers<Keeper>();
  // Before there is a child: one that is left behind by a signal in the middle of the start would bring a keeper up.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void starting.promise.then((keeper) => keeper.stop(signal)));
  }
  process.on('SIGUSR2', () => void starting.promise.then((keeper) => keeper.handOver()));
  // Controller and edge inherit it: they hold secrets, tokens and private keys.
  if (!(await refuseCoreDumps(process.pid))) say('core dumps could not be turned off: there is no prlimit here');
  const keeper = await runKeeper({ env, paths, adopted, controllers: count, dashboard: dashboardAt, say });
  starting.resolve(keeper);
  saveCodeCacheSoon();
  await keeper.stopped;
  lock.release();
  process.exit(0);
}
