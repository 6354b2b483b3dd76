import { readKeeperInfo } from '../../platform/keeper-info.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { isAlive } from '../../platform/process/identity.ts';
import { fromEnvironment } from '../../platform/process/table.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { ensureEmulator } from './emulator-process.ts';

const ENDPOINT = 'EVENKEEL_CLOUD_ENDPOINT';

/**
 * A server that this command starts from now on asks the emulator, which is started unless it runs. One that runs already
 * and asks another cloud is left alone: throws `server-elsewhere`.
 */
export async function useEmulator(
  { env, paths }: { env: NodeJS.ProcessEnv; paths: EvenkeelPaths },
  signal: AbortSignal,
): Promise<string> {
  const { url, token } = await ensureEmulator({ env, paths }, signal);
  const info = await readKeeperInfo(paths);
  if (info !== null && isAlive(info.keeper) && fromEnvironment(info.keeper.pid, ENDPOINT) !== url)
    throw new EvenkeelError({
      code: 'server-elsewhere',
      what: 'the evenkeel server that runs does not ask this emulator',
      why: 'where a server asks is settled when it starts',
      next: 'evenkeel server stop; then the same again',
    });
  env[ENDPOINT] = url;
  env['EVENKEEL_CLOUD_TOKEN'] = token;
  return url;
}
