/** The controller as a process: started by the keeper, with the API's socket handed to it. */
import { join } from 'node:path';
import { parentLink } from '../platform/child.ts';
import { saveCodeCacheSoon } from '../platform/entry.ts';
import type { ControllerToKeeper, KeeperToController } from '../platform/ipc-messages.ts';
import { createLogger } from '../platform/log.ts';
import { evenkeelPaths, prepareHome } from '../platform/paths.ts';
import { reviveKeeperFromController } from '../platform/revive-keeper.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import { auditDays } from './audit-days.ts';
import { type Controller, startController } from './controller.ts';
import { lastKnownFile, unwrittenFile } from './emergency-files.ts';
import { awaitTurn, type Turn } from './turn.ts';

/** A stop that takes longer than this is cut short: everything that matters is in the store. */
const STOP_MS = 8_000;
const EDGE_RESTART_MS = 60_000;

const env = process.env;
const paths = evenkeelPaths(env);
prepareHome(paths);
const log = await createLogger({ name: 'controller', file: join(paths.logs, 'controller.log') });
const keeper = parentLink<KeeperToController, ControllerToKeeper>();
if (keeper === null) {
  process.stderr.write('The controller is started by the keeper: evenkeel up, or evenkeel server.\n');
  process.exit(1);
}

const waiting: ((result: { ok: boolean; reason: string }) => void)[] = [];
const api = Promise.withResolvers<unknown>();
const web = Promise.withResolvers<unknown>();
let controller: Controller | null = null;
let turn: Turn | null = null;
const leaving = new AbortController();

keeper.onMessage((message, handle) => {
  if (message.type === 'api') api.resolve(handle);
  else if (message.type === 'web') web.resolve(handle);
  else if (message.type === 'shutdown') void leave('the keeper asks it to');
  else for (const resolve of waiting.splice(0)) resolve({ ok: message.ok, reason: message.reason });
});
keeper.onDisconnect(() => {
  log.warn('the keeper is gone');
  void reviveKeeperFromController({ env, paths }).then(
    (how) => leave(`another keeper ${how}`),
    (error: unknown) => leave(`no keeper could be started: ${String(error)}`),
  );
});
process.on('SIGTERM', () => void leave('SIGTERM'));
process.on('SIGINT', () => void leave('SIGINT'));
process.on('uncaughtException', (error) => {
  log.fatal({ stack: error.stack }, error.message);
  process.exit(1);
});

const apiHandle = await api.promise;
const inPostgres = (env['EVENKEEL_DATABASE_URL'] ?? '') !== '';
try {
  const emergency = {
    unwritten: unwrittenFile(paths.unwritten),
    lastKnown: lastKnownFile(inPostgres ? paths.lastKnown : null),
  };
  // One at a time acts. A former controller that was stopped and continued finds its fence refused.
  turn = await awaitTurn({
    env,
    paths,
    log,
    standingBy: () => void keeper.send({ type: 'standing-by' }),
    hasLastKnown: () => emergency.lastKnown.all().length > 0,
    signal: leaving.signal,
  });
  if (turn === null) process.exit(0);
  void turn.over.then((why) => leave(why));
  controller = await startController({
    paths,
    log,
    store: turn.store,
    inPostgres,
    tenure: turn.tenure,
    emergency,
    auditDays: auditDays(env, (message) => log.warn(message)),
    apiHandle,
    webHandle: web.promise,
    onFenced: () => void leave('a newer controller acts'),
    stopServer: () => void keeper.send({ type: 'stop-all' }),
    restartEdge,
  });
} catch (error) {
  log.fatal({ stack: error instanceof Error ? error.stack : undefined }, String(error));
  process.stderr.write(
    `${described(error)}\n${error instanceof EvenkeelError && error.next !== null ? `${error.next}\n` : ''}`,
  );
  process.exit(1);
}
keeper.send({ type: 'ready' });
saveCodeCacheSoon();
log.info('ready');

async function restartEdge(): Promise<{ ok: boolean; reason: string }> {
  const answer = Promise.withResolvers<{ ok: boolean; reason: string }>();
  const timer = setTimeout(() => answer.resolve({ ok: false, reason: 'the keeper did not answer' }), EDGE_RESTART_MS);
  waiting.push(answer.resolve);
  keeper?.send({ type: 'restart-edge' });
  return answer.promise.finally(() => clearTimeout(timer));
}

async function leave(reason: string): Promise<void> {
  if (leaving.signal.aborted) return;
  // Who stands by has nothing to end.
  leaving.abort();
  log.info(`leaving: ${reason}`);
  setTimeout(() => process.exit(0), STOP_MS).unref();
  const idle = async (): Promise<void> => turn?.idle();
  await controller?.stop(idle).catch((error: unknown) => log.error(String(error)));
  await turn?.end().catch((error: unknown) => log.error(String(error)));
  process.exit(0);
}
