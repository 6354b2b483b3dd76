import type { Scope } from '../../domain/project/scope.ts';
import type { EngineDeps } from '../deps.ts';

/** Read at once; mostly the first of them tells. */
const PAGE = 50;

/**
 * How many approve a rollout whose file asks for `rule`. Fewer than before have to be approved by as many as before: else
 * whoever may deploy could do without them by changing the file. `aside` says so, behind the reason of the rollout.
 */
export async function approvalsFor(
  { store }: Pick<EngineDeps, 'store'>,
  scope: Scope,
  rule: number,
): Promise<{ needed: number; rule: number; aside: string }> {
  const { project, environment } = scope;
  const inForce = await ruleInForce(store, { project, environment });
  const fewer = rule === 0 ? 'none is needed' : `${rule} ${rule === 1 ? 'is' : 'are'} enough`;
  const aside = rule >= inForce ? '' : `; still ${inForce} to approve, ${fewer} once this is promoted`;
  return { needed: Math.max(rule, inForce), rule, aside };
}

/** Of the last that was promoted, however many were begun and given up since: else those who begin them could push it out. */
async function ruleInForce(store: EngineDeps['store'], scope: Scope): Promise<number> {
  for (let before: string | undefined; ;) {
    const page = await store.rollouts({ ...scope, limit: PAGE, ...(before === undefined ? {} : { before }) });
    const last = page.find(({ promotedAt, approvalRule }) => promotedAt !== null && approvalRule !== null);
    if (last !== undefined) return last.approvalRule ?? 0;
    before = page.at(-1)?.id;
    if (before === undefined || page.length < PAGE) return 0;
  }
}
