import { isConflict, type Place, type Policy, type RunApi } from './run-api.ts';

const INVOKER = 'roles/run.invoker';
const EVERYBODY = 'allUsers';
const TRIES = 4;

/** Lets everybody ask a service, or nobody who is not named. Others' bindings are never touched. */
export async function keepOpen(api: RunApi, place: Place, name: string, open: boolean): Promise<void> {
  for (let tries = 1; ; tries++) {
    const policy = await api.policy(place, name);
    const wanted = open ? opened(policy) : closed(policy);
    if (wanted === null) return;
    try {
      await api.setPolicy(place, name, wanted);
      return;
    } catch (error) {
      if (!isConflict(error) || tries >= TRIES) throw error;
    }
  }
}

const admits = ({ role, members = [], condition }: NonNullable<Policy['bindings']>[number]): boolean =>
  role === INVOKER && condition === undefined && members.includes(EVERYBODY);

/** Null: it is so already. */
function opened(policy: Policy): Policy | null {
  const bindings = policy.bindings ?? [];
  if (bindings.some(admits)) return null;
  const known = bindings.find(({ role, condition }) => role === INVOKER && condition === undefined);
  const next =
    known === undefined
      ? [...bindings, { role: INVOKER, members: [EVERYBODY] }]
      : bindings.map((each) => (each === known ? { ...each, members: [...(each.members ?? []), EVERYBODY] } : each));
  return { ...policy, bindings: next };
}

function closed(policy: Policy): Policy | null {
  const bindings = policy.bindings ?? [];
  if (!bindings.some(admits)) return null;
  const next = bindings
    .map((each) =>
      admits(each) ? { ...each, members: (each.members ?? []).filter((one) => one !== EVERYBODY) } : each,
    )
    .filter(({ members = [] }) => members.length > 0);
  return { ...policy, bindings: next };
}
