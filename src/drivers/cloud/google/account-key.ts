import { access, chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { writeFileAtomic } from '../../../platform/atomic-file.ts';
import { called, clientOptions } from '../../../platform/google/http.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Google } from './google.ts';
import { emailOf } from './kinds/account.ts';

/**
 * Writes a key of a service account to a file for its owner alone, once: a file that holds one of that account is kept.
 * Refuses a place inside of a git work tree, whatever is ignored there. Throws `cloud-key-in-git`, `cloud-key-other`.
 */
export async function writeAccountKey(
  google: Google,
  account: string,
  file: string,
  signal: AbortSignal,
): Promise<'written' | 'kept'> {
  const path = resolve(file);
  const email = emailOf(google, account);
  const tree = await workTreeOf(dirname(path));
  if (tree !== null) throw inGit(path, tree);
  const there = await readFile(path, 'utf8').catch(() => null);
  if (there !== null) {
    if (holderOf(there) !== email) throw ofAnother(path, email);
    await chmod(path, 0o600);
    return 'kept';
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const client = await google.clients.iam();
  const name = `projects/${google.scope.cloudProject}/serviceAccounts/${email}`;
  // Once: an account may have ten keys, and one that nobody holds is one too many.
  const options = { ...clientOptions(google.http), fetchImplementation: google.http.fetchOnce, signal };
  const { privateKeyData } = await called(
    client.projects.serviceAccounts.keys.create(
      { name, requestBody: { privateKeyType: 'TYPE_GOOGLE_CREDENTIALS_FILE' } },
      options,
    ),
  );
  await writeFileAtomic(path, Buffer.from(privateKeyData ?? '', 'base64'), { mode: 0o600 });
  return 'written';
}

/** The folder above that git looks after; null when there is none. */
async function workTreeOf(folder: string): Promise<string | null> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await access(join(at, '.git')).then(
      () => true,
      () => false,
    );
    if (found) return at;
    if (dirname(at) === at) return null;
  }
}

function holderOf(text: string): string | null {
  try {
    const key = JSON.parse(text) as { client_email?: unknown };
    return typeof key.client_email === 'string' ? key.client_email : null;
  } catch {
    return null;
  }
}

const inGit = (path: string, tree: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-key-in-git',
    what: `a key may not lie at ${path}: ${tree} is a work tree of git, and what lies there is committed one day`,
    next: 'name a file outside of it (cloud.account.keyFile), or better use no key at all',
  });

const ofAnother = (path: string, email: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-key-other',
    what: `${path} holds no key of ${email}, and is not written over`,
    next: 'move it away, or name another file (cloud.account.keyFile)',
  });
