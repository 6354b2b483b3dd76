import type { CloudCleanup } from '../../api/contract/cloud/cleanup.ts';
import type { Context } from '../context.ts';

/**
 * What to do first where a server here keeps this environment's services up: it would make them again as soon as they are
 * gone. Null: none of them goes, no server runs, or it keeps nothing up.
 */
export async function keptUp(
  { client }: Pick<Context, 'client'>,
  { project, environment, items }: CloudCleanup,
): Promise<string | null> {
  if (!items.some(({ kind }) => kind === 'service')) return null;
  try {
    const { environments } = await (await client()).getStatus({ project, environment });
    if (!environments.some(({ wanted }) => wanted === 'up')) return null;
  } catch {
    return null;
  }
  return `The evenkeel server here keeps ${environment} up and would make its services again: first \`evenkeel down --env ${environment}\`.`;
}
