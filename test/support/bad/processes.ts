import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { waitFor } from '../wait.ts';

/** Living processes that work in a folder or below it, or name `mark` in their command. */
export function processesIn(folder: string, mark: string = folder): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => ({ pid: Number(pid), command: command(pid), cwd: cwd(pid) }))
    .filter((each) => each.pid !== process.pid && (within(each.cwd, folder) || each.command.includes(mark)))
    .filter((each) => !isZombie(each.pid))
    .map(({ pid, command: text }) => ({ pid, command: text }));
}

export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return isZombie(pid);
  } catch {
    return true;
  }
}

/** As it was started with; empty when it is gone. */
export const environmentOf = (pid: number): string => read(`/proc/${pid}/environ`);

/** Living instances of a release, told by what they were started with. */
export function instancesOf(home: string, project: string, release: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const environment = environmentOf(pid);
      return (
        environment.includes(`EVENKEEL_RELEASE=${release}\0`) &&
        environment.includes(`EVENKEEL_PROJECT=${project}\0`) &&
        environment.includes(home) &&
        !isZombie(pid)
      );
    });
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

function isZombie(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'Z';
}

const command = (pid: string): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // gone meanwhile
  }
}

function cwd(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Kills a job together with the process that would have recorded its end, as a crash of the machine does. */
export async function killWithShim(pid: number): Promise<void> {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  if (!(group > 1)) throw new Error(`${pid} is in no group of its own`);
  process.kill(-group, 'SIGKILL');
  await waitFor(() => isGone(pid), { what: 'it to be gone' });
}
