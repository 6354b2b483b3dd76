import { chmodSync, chownSync, mkdirSync, openSync, realpathSync, closeSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { writeFileAtomic } from '../../../platform/atomic-file.ts';
import { takeLock } from '../../../platform/lock.ts';
import { giveFolder } from '../../../platform/process/ownership.ts';
import { runCommand } from '../../../platform/process/spawn.ts';
import { readJson } from '../../../platform/read-json.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { digest } from './folder.ts';
import { noteInLog } from './log-note.ts';
import type { PortGuard } from './port-guard.ts';
import type { RunAs } from '../../../ports/runtime.ts';

/** The user that an instance or a job runs as, when that is not evenkeel's own. */
export interface Guest {
  uid: number;
  gid: number;
  name: string;
  /** Its home; null for a user that nobody but evenkeel knows. */
  home: string | null;
}

export const DYNAMIC = 'dynamic';

/**
 * Numbers that nothing else gives out: above those of systemd's containers, and of everybody's `/etc/subuid`, below 2^31.
 */
const FIRST = 1_900_000_000;
/** Each home has numbers of its own, or services of two homes on one machine would be one user. */
const HOMES = 240_000;
const OF_A_HOME = 1_000;
const LOCK_MS = 5_000;

const numbersSchema = z.object({ next: z.number().int(), users: z.record(z.string(), z.number().int()) });

/**
 * As whom something runs. Null: as evenkeel itself; `note` then says what does not hold because of that. Throws
 * EvenkeelError `user-unknown`, `user-refused` or `guests-unavailable`.
 */
export async function guestFor(
  home: string,
  scope: { project: string; environment: string },
  runAs: RunAs | undefined,
): Promise<{ guest: Guest | null; note: string | null }> {
  if (runAs === undefined) return { guest: null, note: null };
  const { user, service } = runAs;
  const self = userInfo().username;
  if (user === self) return { guest: null, note: null };
  if (process.getuid?.() !== 0) {
    if (user === DYNAMIC)
      return {
        guest: null,
        note: `not on its own: evenkeel runs as ${self}, and only root can start programs as other users; every service of this server can read what this one has`,
      };
    throw refused(
      `${service} is to run as ${user}, and evenkeel runs as ${self}`,
      'only root can start programs as other users',
      `run evenkeel as root, or as ${user}`,
    );
  }
  await requireTools();
  if (user === DYNAMIC) {
    const uid = await numberFor(home, JSON.stringify([scope.project, scope.environment, service]));
    return { guest: { uid, gid: uid, name: `evenkeel-${uid}`, home: null }, note: null };
  }
  return { guest: await namedGuest(user, service), note: null };
}

async function namedGuest(user: string, service: string): Promise<Guest> {
  const { code, stdout } = await runCommand(['getent', 'passwd', '--', user], { timeout: 10_000 });
  const [name = '', , uid = '', gid = '', , home = ''] = stdout.trim().split(':');
  if (code !== 0 || name === '' || !/^\d+$/.test(uid) || !/^\d+$/.test(gid))
    throw refused(
      `${service} is to run as ${user}, and this machine has no such user`,
      null,
      `useradd --system ${user}, or \`user: dynamic\``,
      'user-unknown',
    );
  return { uid: Number(uid), gid: Number(gid), name, home: home === '' ? null : home };
}

/** The number of a service is its own for good: what it wrote yesterday is still its own tomorrow. */
async function numberFor(home: string, key: string): Promise<number> {
  const file = join(home, 'guests.json');
  const known = async () => numbersSchema.safeParse(await readJson(file)).data ?? null;
  const number = (await known())?.users[key];
  if (number !== undefined) return number;
  const lock = await takeLock(`${file}.lock`, { waitMs: LOCK_MS });
  if (lock === null)
    throw refused('no user could be chosen', `${file} is locked`, 'it is tried again', 'guests-unavailable', true);
  try {
    const numbers = (await known()) ?? { next: firstNumber(home), users: {} };
    const taken = numbers.users[key];
    if (taken !== undefined) return taken;
    await writeFileAtomic(
      file,
      JSON.stringify({ next: numbers.next + 1, users: { ...numbers.users, [key]: numbers.next } }),
    );
    return numbers.next;
  } finally {
    lock.release();
  }
}

/** Where the numbers of a home begin: by chance, and always the same. */
export function firstNumber(home: string): number {
  return FIRST + (Number.parseInt(digest(home), 16) % HOMES) * OF_A_HOME;
}

let tools: Promise<string | null> | undefined;

/** Why programs cannot be started as other users here; null when they can. Asked once. */
export function whyNoGuests(): Promise<string | null> {
  tools ??= (async () => {
    const argv = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'setpriv',
      '--no-new-privs',
      '--clear-groups',
      'true',
    ];
    try {
      const { code, stderr } = await runCommand(argv, { timeout: 10_000 });
      return code === 0 ? null : stderr.trim().slice(0, 200) || `unshare ended with ${code}`;
    } catch {
      return 'there is no unshare or setpriv (util-linux)';
    }
  })();
  return tools;
}

async function requireTools(): Promise<void> {
  const why = await whyNoGuests();
  if (why !== null)
    throw refused(
      'programs cannot be started as other users on this machine',
      why,
      'install util-linux, and let evenkeel make mount namespaces',
      'guests-unavailable',
    );
}

/** Makes folders the guest's own, with all that is in them. */
async function giveTo(guest: Pick<Guest, 'uid' | 'gid'>, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await giveFolder(folder, guest).catch((cause: Error) => {
      throw refused(
        `${folder} could not be given to user ${guest.uid}`,
        cause.message,
        'it is tried again',
        'guests-unavailable',
        true,
      );
    });
  }
}

/** A program may open its own output anew (`/dev/stderr`), to write and not to read. */
function letWrite(guest: Pick<Guest, 'gid'>, log: string): void {
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  closeSync(openSync(log, 'a', 0o600));
  chownSync(log, 0, guest.gid);
  chmodSync(log, 0o620);
}

/** Lets a guest connect to what it was told of, and to its own port; says in its log when nobody is kept from anything. */
export async function allowPorts(
  guard: PortGuard,
  { uid }: Guest,
  { port, calls = [], log }: { port: number | null; calls?: readonly number[] | undefined; log: string },
): Promise<void> {
  const why = await guard.allow([{ uid, ports: [...(port === null ? [] : [port]), ...calls] }]);
  if (why !== null) noteInLog(log, `not all isolation holds: ports of other services are open to it: ${why}`);
}

export interface GuestSeat {
  guest: Guest;
  /** What guest.sh reads. */
  env: Record<string, string>;
}

/** Prepares folders and log for a guest; `folders` are all it may see of the home. */
export async function seat(
  home: string,
  folder: string,
  guest: Guest,
  { folders, log }: { folders: readonly string[]; log: string },
): Promise<GuestSeat> {
  await giveTo(guest, folders);
  letWrite(guest, log);
  // Where they really are: the way through a link may lead below a folder that others may not enter.
  const real = folders.map((each) => realpathSync(each));
  return { guest, env: guestEnvironment(realpathSync(home), realpathSync(folder), guest, real) };
}

/** What guest.sh reads. `folder` is that of the instance or job, for its own use. */
function guestEnvironment(
  home: string,
  folder: string,
  guest: Guest,
  folders: readonly string[],
): Record<string, string> {
  const stage = join(folder, 'stage');
  mkdirSync(stage, { recursive: true, mode: 0o700 });
  return {
    EVENKEEL_GUEST: `${guest.uid} ${guest.gid}`,
    EVENKEEL_GUEST_STAGE: stage,
    EVENKEEL_GUEST_HIDE: outermostClosed(home),
    EVENKEEL_GUEST_FOLDERS: folders.join('\n'),
  };
}

/** The first folder on the way to the home that others may not enter; the home itself never lets them. */
function outermostClosed(home: string): string {
  const way: string[] = [];
  for (let path = home; dirname(path) !== path; path = dirname(path)) way.unshift(path);
  return way.find((path) => (statSync(path).mode & 0o001) === 0) ?? home;
}

/** Variables that a shell or tool of root would act on; they are set once root is left. */
const LATE = /^(LD_.*|GCONV_PATH|LOCPATH|NLSPATH|GLIBC_TUNABLES|MALLOC_.*|ENV|BASH_ENV|IFS)$/;

/** The environment as a root's shell may have it: what it would act on lies aside until it is not root any more. */
export function setAside(env: Record<string, string>): Record<string, string> {
  const late = Object.keys(env).filter((name) => LATE.test(name));
  return {
    ...Object.fromEntries(
      Object.entries(env).map(([name, value]) => [LATE.test(name) ? `EVENKEEL_LATE_${name}` : name, value]),
    ),
    EVENKEEL_LATE: late.join(' '),
  };
}

function refused(
  what: string,
  why: string | null,
  next: string,
  code = 'user-refused',
  retryable = false,
): EvenkeelError {
  return new EvenkeelError({ code, what: why === null ? what : `${what}: ${why}`, next, retryable, exit: 2 });
}
