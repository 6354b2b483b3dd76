import { userInfo } from 'node:os';
import { OWN_ACCOUNT } from '../../../domain/access/shared-accounts.ts';
import { runCommand } from '../../../platform/process/spawn.ts';
import type { Accounts } from '../../../ports/accounts.ts';
import { DYNAMIC } from './guests.ts';

/** As `guestFor` chooses them; by number, since a number can have several names. */
export function processAccounts(): Accounts {
  const own = process.getuid?.() ?? null;
  return {
    async of({ project, environment, service, user }) {
      if (user === undefined || user === userInfo().username) return OWN_ACCOUNT;
      // Nobody else can start programs as others: a service of its own user is evenkeel's, then.
      if (user === DYNAMIC)
        return own === 0 ? `dynamic ${JSON.stringify([project, environment, service])}` : OWN_ACCOUNT;
      const uid = await uidOf(user);
      if (uid === null) return `unknown ${user}`;
      return uid === own ? OWN_ACCOUNT : `uid ${uid}`;
    },
  };
}

async function uidOf(user: string): Promise<number | null> {
  const { code, stdout } = await runCommand(['getent', 'passwd', '--', user], { timeout: 10_000 });
  const uid = stdout.trim().split(':')[2] ?? '';
  return code === 0 && /^\d+$/.test(uid) ? Number(uid) : null;
}
