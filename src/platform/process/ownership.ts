import { lstatSync } from 'node:fs';
import { runCommand } from './spawn.ts';

/**
 * Makes a folder somebody's own, with all that is in it; what is theirs already is not touched. Links are never followed, also not
 * when somebody changes the folder meanwhile: that is why this is left to chown. Throws with what it said.
 */
export async function giveFolder(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  // The folder itself comes last, so one that is theirs has been given to the end. What root has put there since (a
  // former release that still ran as root) is all that is left to give.
  const now = lstatSync(folder);
  const from = now.uid === uid && now.gid === gid ? ['--from=0'] : [];
  const { code, stderr } = await runCommand(['chown', '-hR', ...from, `${uid}:${gid}`, '--', folder], {
    timeout: 600_000,
  });
  if (code !== 0) throw new Error(stderr.trim().slice(0, 300) || `chown ended with ${code}`);
}
