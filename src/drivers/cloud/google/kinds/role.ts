import { type Policy, setMember } from '../policy.ts';
import type { Google } from '../google.ts';
import type { KindDriver, Seen, Sight, Wanted } from '../kind-driver.ts';
import { accountsIn, emailOf } from './account.ts';

export const policyIn = ({ google, signal, once }: Sight): Promise<Policy> =>
  once('policy', () => google.policy.read(signal));

const memberOf = (google: Google, account: string): string => `serviceAccount:${emailOf(google, account)}`;

const seenOf = (account: string, role: string, labels: Record<string, string>): Seen<'role'> => ({
  kind: 'role',
  name: `${account}/${role}`,
  location: null,
  attributes: { account, role },
  labels,
  state: 'ready',
  createdAt: null,
});

export const role: KindDriver<'role'> = {
  async observe(sight) {
    const [policy, accounts] = await Promise.all([policyIn(sight), accountsIn(sight)]);
    return accounts.flatMap(({ name, labels }) => {
      const member = memberOf(sight.google, name);
      return (policy.bindings ?? [])
        .filter((binding) => !binding.condition && binding.members?.includes(member))
        .map((binding) => seenOf(name, binding.role ?? '', { ...labels }));
    });
  },
  async create(wanted: Wanted<'role'>, { google, signal, say }) {
    const { account, role: name } = wanted.attributes;
    say('granting');
    await google.policy.edit((policy) => setMember(policy, name, memberOf(google, account), true), signal);
    return seenOf(account, name, { ...wanted.labels });
  },
  update: (wanted, _seen, work) => role.create(wanted, work),
  async remove(gone, { google, signal, say }) {
    const { account, role: name } = gone.attributes;
    say('revoking');
    await google.policy.edit((policy) => setMember(policy, name, memberOf(google, account), false), signal);
  },
};
