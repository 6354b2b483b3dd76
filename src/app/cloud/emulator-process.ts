import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import { spawnDetachedNode, type Exit } from '../../platform/child.ts';
import { moduleFile, processEnv } from '../../platform/entry.ts';
import { ensurePrivateFolder, prepareHome, type EvenkeelPaths } from '../../platform/paths.ts';
import { isAlive } from '../../platform/process/identity.ts';
import { sendSignal } from '../../platform/process/table.ts';
import { openOutput, outputFile } from '../../platform/start-keeper.ts';
import { emulatorPlace, type EmulatorInfo, forgetEmulator, runningEmulator } from './emulator-place.ts';

const NAME = 'emulator';
const PAUSE_MS = 25;
/** Until it listens; and until what runs in it has ended. */
const PATIENCE_MS = 30_000;

/** The emulator of this home, started unless it runs. Throws `emulator-failed`. */
export async function ensureEmulator(
  { env, paths }: { env: NodeJS.ProcessEnv; paths: EvenkeelPaths },
  signal: AbortSignal,
): Promise<EmulatorInfo> {
  const place = emulatorPlace(paths);
  const running = await runningEmulator(place);
  if (running !== null) return running;
  prepareHome(paths);
  ensurePrivateFolder(place.folder);
  const started: { exit: Exit | null } = await start(env, paths);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const info = await runningEmulator(place);
    if (info !== null) return info;
    const { exit } = started;
    if (exit !== null && exit.code !== 0) throw failed(paths, `it ended with ${exit.signal ?? exit.code}`);
    if (performance.now() > deadline) throw failed(paths, `it did not listen within ${PATIENCE_MS / 1000} s`);
    await sleep(PAUSE_MS);
  }
}

async function start(env: NodeJS.ProcessEnv, paths: EvenkeelPaths): Promise<{ exit: Exit | null }> {
  const outputFd = openOutput(paths, NAME);
  try {
    const { exited } = await spawnDetachedNode({
      entry: moduleFile('app/cloud/emulator-main'),
      env: processEnv(env, paths),
      outputFd,
    });
    const process: { exit: Exit | null } = { exit: null };
    void exited.then((exit) => (process.exit = exit));
    return process;
  } finally {
    closeSync(outputFd);
  }
}

const failed = (paths: EvenkeelPaths, why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'emulator-failed',
    what: 'the emulator did not start',
    where: outputFile(paths, NAME),
    why,
    next: 'read what it wrote there',
  });

/** Ends it with all that runs in it; false when it did not run. `forget`: what was made in it goes, too. */
export async function stopEmulator(paths: EvenkeelPaths, { forget }: { forget: boolean }): Promise<boolean> {
  const place = emulatorPlace(paths);
  const running = await runningEmulator(place);
  if (running !== null) {
    sendSignal(running.process.pid, 'SIGTERM');
    const deadline = performance.now() + PATIENCE_MS;
    while (isAlive(running.process)) {
      if (performance.now() > deadline) {
        sendSignal(running.process.pid, 'SIGKILL');
        break;
      }
      await sleep(PAUSE_MS);
    }
  }
  if (forget) await forgetEmulator(place);
  return running !== null;
}
