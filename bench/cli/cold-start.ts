import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnNode } from '../../src/platform/child.ts';
import { ALLOCATOR_ENV, NODE_OPTIONS } from '../../src/platform/entry.ts';
import type { ControllerToKeeper, KeeperToController } from '../../src/platform/ipc-messages.ts';
import { bindUnixSocket, isFailure } from '../../src/platform/listen-handle.ts';
import { evenkeelPaths, prepareHome } from '../../src/platform/paths.ts';
import { unixClient } from '../../src/platform/unix-http.ts';
import { largest, median, rounded } from '../report/figures.ts';
import { processorSeconds } from '../idle/memory.ts';
import type { Bench, Row } from '../report/row.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** From the start of the controller's process to its first answer, in the place of its keeper. */
export async function coldStartRows(bench: Bench): Promise<Row[]> {
  bench.say('npm run build');
  execFileSync(process.execPath, [file('scripts/build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const built = await starts(bench, 'built', file('dist/app/controller-main.js'));
  const clone = await starts(bench, 'clone', file('src/app/controller-main.ts'));
  const row = (id: string, what: string, each: Starts, bound: number | null): Row => ({
    id,
    what,
    budget: bound === null ? 'no bound' : `<= ${bound} ms`,
    measured: median(each.later.map(({ ms }) => ms)),
    unit: 'ms',
    ok: bound === null ? null : median(each.later.map(({ ms }) => ms)) <= bound,
    detail:
      `median of ${each.later.length}, largest ${rounded(largest(each.later.map(({ ms }) => ms)))} ms; processor time, all threads, ` +
      `${rounded(median(each.later.map(({ processorMs }) => processorMs)))} ms; the very ` +
      `first, with no compiled code kept yet, ${rounded(each.first.ms)} ms`,
    figures: {
      median: median(each.later.map(({ ms }) => ms)),
      largest: largest(each.later.map(({ ms }) => ms)),
      processor: median(each.later.map(({ processorMs }) => processorMs)),
      first: each.first.ms,
    },
  });
  return [
    row('cold-start', 'controller, start to first API answer, built', built, 500),
    row('cold-start-clone', 'controller, start to first API answer, in a clone', clone, null),
  ];
}

interface Start {
  ms: number;
  /** Time that its threads used, together. */
  processorMs: number;
}

interface Starts {
  /** Nothing was cached then. */
  first: Start;
  later: Start[];
}

async function starts({ quick, folder, say, signal }: Bench, name: string, entry: string): Promise<Starts> {
  const home = join(folder, `start-${name}`);
  mkdirSync(home, { mode: 0o700 });
  const env = {
    ...ALLOCATOR_ENV,
    ...process.env,
    EVENKEEL_HOME: join(home, 'h'),
    EVENKEEL_SECRETS_KEY_FILE: join(home, 'key'),
    NODE_COMPILE_CACHE: join(home, 'code'),
  };
  const first = await start(entry, env, join(home, 'out.log'), 3_000);
  const later: Start[] = [];
  while (later.length < (quick ? 3 : 9) && !signal.aborted)
    later.push(await start(entry, env, join(home, 'out.log'), 0));
  say(`${name}: first ${rounded(first.ms)} ms, then ${later.map(({ ms }) => rounded(ms)).join(', ')} ms`);
  return { first, later };
}

/** @param liveMs how long it lives after its answer; it keeps its compiled code after two seconds. */
async function start(entry: string, env: NodeJS.ProcessEnv, log: string, liveMs: number): Promise<Start> {
  const paths = evenkeelPaths(env);
  prepareHome(paths);
  const handle = bindUnixSocket(paths.controllerSocket);
  if (isFailure(handle)) throw new Error(`the socket of the API: ${handle.code}`);
  const outputFd = openSync(log, 'a', 0o600);
  const client = unixClient({ socketPath: paths.controllerSocket, peer: 'The controller', timeoutMs: 100 });
  const began = performance.now();
  const child = await spawnNode<ControllerToKeeper, KeeperToController>({
    entry,
    env,
    nodeOptions: NODE_OPTIONS.controller,
    outputFd,
  });
  closeSync(outputFd);
  try {
    child.send({ type: 'api' }, handle);
    // It binds but does not listen yet: to connect fails until the controller does.
    for (;;) {
      // Whoever asks without a token is refused, and that is an answer.
      const answered = await client.reply({ path: '/api/v1/server', timeoutMs: 10_000 }).then(
        () => true,
        () => false,
      );
      if (answered) break;
      if (performance.now() - began > 15_000) throw new Error(`no answer within 15 s; see ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ms = performance.now() - began;
    const processorMs = processorSeconds(child.pid) * 1000;
    if (liveMs > 0) await new Promise((resolve) => setTimeout(resolve, liveMs));
    return { ms, processorMs };
  } finally {
    child.kill('SIGKILL');
    await child.exited;
    handle.close();
    client.close();
  }
}
