import type { ProcessState, ServerFacts } from '../../domain/doctor/facts.ts';
import type { ServerInfo } from '../../api/contract/server.ts';
import { routeOf } from '../../api/contract/paths.ts';
import type { DoctorReply } from '../../api/contract/doctor.ts';
import { EvenkeelError, described } from '../../ports/errors.ts';
import { readKeeperInfo } from '../../platform/keeper-info.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { dumpsCore } from '../../platform/process/core-dumps.ts';
import { isAlive, processStat, type ProcessIdentity } from '../../platform/process/identity.ts';
import { readTextIfThere } from '../../platform/read-json.ts';
import { unixClient, type UnixClient } from '../../platform/unix-http.ts';

/** Long enough for a database to be read; a controller that takes longer hangs for everybody else, too. */
const PATIENCE_MS = 10_000;

export async function readServer(paths: EvenkeelPaths, version: string): Promise<ServerFacts> {
  // A home that may not be read is told by its permissions.
  const info = await readKeeperInfo(paths).catch(() => null);
  const processes =
    info === null
      ? null
      : {
          keeper: { ...stateOf(info.keeper), version: info.version, startedAt: info.startedAt },
          controller: info.controller === null ? null : stateOf(info.controller),
          edge: info.edge === null ? null : stateOf(info.edge),
          standingBy: (info.controllers ?? [])
            .filter(({ role }) => role === 'stands by')
            .map((each) => stateOf(each.process))
            .filter(({ state }) => state !== 'dead'),
          controllersWanted: info.controllersWanted ?? 1,
          controllerFailures: info.controllerFailures,
          dumpingCore: (['keeper', 'controller', 'edge'] as const).filter((name) => dumps(info[name])),
        };
  return { version, processes, answer: await ask(paths, processes?.keeper.state === 'alive') };
}

function dumps(identity: ProcessIdentity | null): boolean {
  return identity !== null && isAlive(identity) && dumpsCore(identity.pid) === true;
}

function stateOf(identity: ProcessIdentity): { pid: number; state: ProcessState } {
  const { pid } = identity;
  if (!isAlive(identity)) return { pid, state: 'dead' };
  return { pid, state: /^[Tt]$/.test(processStat(pid)?.state ?? '') ? 'stopped' : 'alive' };
}

async function ask(paths: EvenkeelPaths, keeperRuns: boolean): Promise<ServerFacts['answer']> {
  // Whether others may read it is said elsewhere; here it is only used.
  const token = (await readTextIfThere(paths.token).catch(() => null))?.trim() ?? '';
  if (token === '')
    return keeperRuns ? { kind: 'silent', why: `there is no token in ${paths.token}` } : { kind: 'none' };
  const client = unixClient({
    socketPath: paths.controllerSocket,
    peer: 'The controller',
    token,
    timeoutMs: PATIENCE_MS,
  });
  try {
    const reply = (await client.json({ method: 'GET', path: routeOf('examineServer').path })) as DoctorReply;
    return { kind: 'answer', ...reply, storeAway: reply.storeAway ?? false, unwritten: reply.unwritten ?? 0 };
  } catch (error) {
    const code = error instanceof EvenkeelError ? ((error.cause ?? {}) as NodeJS.ErrnoException).code : undefined;
    if (error instanceof EvenkeelError && error.code === 'not-found') return await older(client);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { kind: 'none' };
    return { kind: 'silent', why: described(error) };
  } finally {
    client.close();
  }
}

/** A server from before it could be asked so still says who it is. */
async function older(client: UnixClient): Promise<ServerFacts['answer']> {
  const { version, edge } = (await client.json({ method: 'GET', path: routeOf('getServer').path })) as ServerInfo;
  return { kind: 'answer', version, edge, databases: [], environments: null, storeAway: false, unwritten: 0 };
}
