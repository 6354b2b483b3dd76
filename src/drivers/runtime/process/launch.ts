import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDead, processStat } from '../../../platform/process/identity.ts';
import { runCommand, spawnDetached } from '../../../platform/process/spawn.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Permit } from '../../../ports/permit.ts';
import { becomeProgram } from './command.ts';
import { MARK, readClaim } from './folder.ts';
import { type GuestSeat, setAside } from './guests.ts';

const SHIM = fileURLToPath(new URL('./shim.sh', import.meta.url));
const GUEST_SCRIPT = fileURLToPath(new URL('./guest.sh', import.meta.url));

/** Longest wait for the shim to claim its folder, in ms; it takes a few on an idle machine. */
const CLAIM_TIMEOUT = 15_000;

export interface Launch {
  folder: string;
  command: string;
  cwd: string;
  /** The command's whole environment. */
  env: Record<string, string>;
  /** Absolute; appended. */
  log: string;
  cgroups: readonly string[];
  /** Names this start among several of the same folder; letters and digits. */
  launch: string;
  /** The record of the end shall survive a power cut. */
  durable: boolean;
  /** A file: the command begins once nobody else who names it has it, and has it until its last process is gone. */
  lock?: string | null;
  /** Most files that one process has open. */
  openFiles: number | null;
  /** Null: it runs as evenkeel's own user. */
  seat: GuestSeat | null;
  /** Asked before there is a process. */
  permit: Permit;
}

/**
 * Starts the command unless somebody did before, and resolves once the folder is claimed, by whomever.
 * Throws the system's error when there is no process at all, EvenkeelError `start-unconfirmed` when none claimed it.
 */
export async function launch({
  folder,
  command,
  cwd,
  env,
  log,
  cgroups,
  launch: name,
  durable,
  lock = null,
  openFiles,
  seat,
  permit,
}: Launch): Promise<void> {
  refuseUnusable(env);
  const prefix = await resetSignals();
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o600);
  let pid: number;
  try {
    permit();
    pid = await spawnDetached(['/bin/sh', SHIM, folder], {
      cwd,
      output,
      // Never in arguments, where every user of the machine may read them.
      env: {
        ...(seat === null ? env : { ...setAside(env), ...seat.env, EVENKEEL_GUEST_SCRIPT: GUEST_SCRIPT }),
        [MARK]: folder,
        EVENKEEL_FILES: openFiles === null ? '' : String(openFiles),
        EVENKEEL_COMMAND: becomeProgram(command),
        EVENKEEL_CGROUPS: cgroups.join('\n'),
        EVENKEEL_PREFIX: prefix,
        EVENKEEL_LAUNCH: name,
        EVENKEEL_DURABLE: durable ? '1' : '',
        EVENKEEL_LOCK: lock ?? '',
      },
    });
  } finally {
    closeSync(output);
  }
  const deadline = performance.now() + CLAIM_TIMEOUT;
  for (let wait = 2; !claimed(folder); wait = Math.min(wait * 2, 25)) {
    const over = isDead(processStat(pid));
    if (over && claimed(folder)) return;
    if (over || performance.now() > deadline) {
      throw new EvenkeelError({
        code: 'start-unconfirmed',
        what: `No process took up ${folder}.`,
        where: folder,
        why: over ? 'the process that starts it ended early; the disk may be full' : 'the machine is too busy',
        next: 'Look at free disk space and load; evenkeel tries again.',
        retryable: true,
        exit: 2,
      });
    }
    await sleep(wait);
  }
}

function claimed(folder: string): boolean {
  const claim = readClaim(folder);
  return claim !== null && claim.by !== 'unwritten';
}

/** What no environment can hold is told by the name of the variable; node's own error would show its value. */
function refuseUnusable(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      throw new EvenkeelError({
        code: 'env-unusable',
        what: `The environment variable ${JSON.stringify(name)} has a name or value that no program can be given.`,
        why: 'names hold neither = nor NUL, values no NUL',
        next: 'Correct it in env.',
      });
    }
  }
}

let signalsPrefix: Promise<string> | undefined;

/** `env --default-signal` where env has it (GNU coreutils 8.31 and later), else nothing. */
function resetSignals(): Promise<string> {
  const prefix = ['/usr/bin/env', '--default-signal=INT,QUIT'];
  signalsPrefix ??= runCommand([...prefix, 'true']).then(
    ({ code }) => (code === 0 ? prefix.join(' ') : ''),
    () => '',
  );
  return signalsPrefix;
}
