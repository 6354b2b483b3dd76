import { readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';

/** Programs that every machine of a kind has at one place, such as the interpreter of a virtual environment of Python. */
const SYSTEM = ['/usr/', '/bin/', '/sbin/', '/lib/', '/lib64/', '/opt/'];

export type LinkDecision = { to: string } | { refused: string };

/**
 * What becomes of a symbolic link when its tree is copied: one within the tree is kept (relative, so that it leads
 * within the copy), one to a program of the system too; one to anywhere else is refused, since what it leads to
 * would be neither part of the artifact nor the same tomorrow.
 */
export async function decideLink(root: string, path: string): Promise<LinkDecision> {
  const to = await readlink(join(root, path));
  const target = resolve(dirname(join(root, path)), to);
  if (isAbsolute(to) && isSystem(target)) return { to };
  // By its real way too: a link on the way may lead out.
  const real = await realpath(join(root, path)).catch(() => null);
  if (!isInside(root, target) || (real !== null && !isInside(await realpath(root), real) && !isSystem(real)))
    return { refused: `the link ${path} leads out of the project (to ${to}) and was left out` };
  if (!isAbsolute(to)) return { to };
  const within = relative(dirname(join(root, path)), target)
    .split(sep)
    .join(posix.sep);
  return { to: within === '' ? '.' : within };
}

function isSystem(path: string): boolean {
  return SYSTEM.some((folder) => path.startsWith(folder));
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}${sep}`);
}
