import { mkdir } from 'node:fs/promises';
import { runCommand } from '../../platform/process/spawn.ts';
import { BuildFailure } from './image.ts';

/** Unpacks a tar archive, compressed or not. Throws a BuildFailure with what tar said. */
export async function unpack(archive: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const argv = ['tar', '-x', '--no-same-owner', '-f', archive, '-C', into];
  const { code, stderr } = await runCommand(argv, { timeout: 300_000 });
  if (code !== 0) throw new BuildFailure(`the archive cannot be unpacked: ${stderr.trim().slice(0, 500)}`);
}
