import type { Standing } from '../api/contract/server.ts';
import type { Tenure } from '../engine/lease.ts';
import { readKeeperInfo } from '../platform/keeper-info.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { isAlive } from '../platform/process/identity.ts';

/** Who of several controllers acts, as this one knows of itself and the keeper of the others. */
export async function standingOf(
  paths: Pick<EvenkeelPaths, 'keeperInfo'>,
  tenure: Pick<Tenure, 'fence' | 'holds'>,
  inPostgres: boolean,
): Promise<Standing> {
  const known = (await readKeeperInfo(paths).catch(() => null))?.controllers ?? [];
  const others = known.filter((each) => each.process.pid !== process.pid && isAlive(each.process));
  return {
    fence: tenure.fence,
    acts: tenure.holds(),
    store: inPostgres ? 'postgres' : 'file',
    controllers: [
      { pid: process.pid, role: 'acts' },
      ...others.map(({ process: { pid }, role }) => ({ pid, role: role === 'acts' ? ('stands by' as const) : role })),
    ],
  };
}
