import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { tempDir } from './temp.ts';

/** A disk of its own that is soon full, gone with the test; null where this user may not mount one. */
export function tinyDisk(bytes: number): string | null {
  const folder = tempDir('disk');
  const options = ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder];
  try {
    execFileSync('/usr/bin/env', ['mount', ...options], { stdio: 'ignore' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('/usr/bin/env', ['umount', '--lazy', folder], { stdio: 'ignore' }));
  return folder;
}
