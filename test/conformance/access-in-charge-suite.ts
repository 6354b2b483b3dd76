import { expect, test } from 'vitest';
import { BUILT_IN_ROLES, customRoleSchema } from '../../src/domain/access/roles.ts';

import { aGrant, aToken, aUser, NOW, populate, type Stores } from './access-fixtures.ts';

const KEEP = 'somebody-in-charge';
const EVERYTHING = BUILT_IN_ROLES.find(({ name }) => name === 'admin')?.permissions ?? [];

/** What every store promises of who has to stay, and of tokens that were made with tokens. */
export function inChargeSuite(stores: Stores): void {
  const store = () => stores()[0];
  const last = { code: 'last-admin' };

  test('the last admin of an organization stays, by whatever way they would go', async () => {
    await populate(store());
    await expect(store().removeGrant('default', 'gr_ann_admin', KEEP)).rejects.toMatchObject(last);
    await expect(store().removeMember('default', 'ann', KEEP)).rejects.toMatchObject(last);
    await expect(store().removeUser('ann', KEEP)).rejects.toMatchObject(last);
    expect(await store().members('default')).toMatchObject([{ user: { id: 'ann' }, grants: [{ role: 'admin' }] }]);
    // Another one who is admin only of a part, or is shut out, is nobody who could take over.
    await store().addMember('default', 'bob', NOW);
    await store().addGrant(aGrant('bob', 'admin', { environment: 'staging' }));
    await expect(store().removeMember('default', 'ann', KEEP)).rejects.toMatchObject(last);
    await store().addGrant(aGrant('bob', 'admin', { id: 'gr_bob_whole' }));
    await store().setDisabled('bob', NOW, KEEP);
    await expect(store().removeMember('default', 'ann', KEEP)).rejects.toMatchObject(last);
    await store().setDisabled('bob', null, KEEP);
    expect(await store().removeMember('default', 'ann', KEEP)).toBe(true);
    // Who owns the machine may empty it, and of an organization without an admin everybody may go.
    expect(await store().removeMember('default', 'bob')).toBe(true);
    expect(await store().removeMember('acme', 'bob', KEEP)).toBe(true);
  });

  test('an admin by a role of the organization’s own counts, and stays when that role is changed', async () => {
    await populate(store());
    const role = (permissions: readonly string[]) => customRoleSchema.parse({ name: 'all', permissions });
    const save = (permissions: readonly string[], is: 'new' | 'known') =>
      store().saveRole('default', role(permissions), NOW, is, KEEP);
    await save(EVERYTHING, 'new');
    await store().addMember('default', 'bob', NOW);
    await store().addGrant(aGrant('bob', 'all'));
    await store().removeMember('default', 'ann', KEEP);
    await expect(save(['people:write'], 'known')).rejects.toMatchObject(last);
    expect(await store().roles('default')).toMatchObject([{ permissions: EVERYTHING.toSorted() }]);
  });

  test('of two admins who remove each other at once one stays', async () => {
    await populate(store());
    await store().addMember('default', 'bob', NOW);
    await store().addGrant(aGrant('bob', 'admin', { id: 'gr_bob_whole' }));
    const [one, other] = stores();
    const ends = await Promise.allSettled([
      one.removeMember('default', 'bob', KEEP),
      other.removeMember('default', 'ann', KEEP),
    ]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await store().members('default')).toHaveLength(1);
  });

  test('the last who runs the server goes on doing it, and of two who give up at once one does', async () => {
    const lastOne = { code: 'last-runs-server' };
    await store().addUser(aUser('ann', { runsServer: true }));
    await store().addUser(aUser('bob'));
    await expect(store().setRunsServer('ann', false, KEEP)).rejects.toMatchObject(lastOne);
    await expect(store().setDisabled('ann', NOW, KEEP)).rejects.toMatchObject(lastOne);
    await expect(store().removeUser('ann', KEEP)).rejects.toMatchObject(lastOne);
    await store().setRunsServer('bob', true, KEEP);
    const [one, other] = stores();
    const ends = await Promise.allSettled([
      one.setRunsServer('ann', false, KEEP),
      other.setRunsServer('bob', false, KEEP),
    ]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await store().users()).filter(({ runsServer }) => runsServer)).toHaveLength(1);
    for (const { id } of await store().users()) await store().setRunsServer(id, false);
    expect((await store().users()).some(({ runsServer }) => runsServer)).toBe(false);
  });

  test('what a token made ends with it, down to the last', async () => {
    await populate(store());
    await store().addToken(aToken('ann', 'ci'));
    await store().addToken(aToken('ann', 'child', { madeBy: 'to_ann_ci' }));
    await store().addToken(aToken('ann', 'grandchild', { madeBy: 'to_ann_child' }));
    await store().addToken(aToken('ann', 'other'));
    expect(await store().tokenById('to_ann_child')).toMatchObject({ madeBy: 'to_ann_ci' });
    expect(await store().revokeToken('to_ann_ci')).toBe(true);
    expect((await store().tokens({ user: 'ann' })).map(({ name }) => name)).toEqual(['other']);
    expect(await store().tokenById('to_ann_child')).toBeNull();
    const late = aToken('ann', 'late', { madeBy: 'to_ann_ci' });
    await expect(store().addToken(late)).rejects.toMatchObject({ code: 'token-unknown' });
  });

  test('a token that is revoked while it makes another one leaves none behind', async () => {
    await populate(store());
    await store().addToken(aToken('ann', 'ci'));
    const [one, other] = stores();
    await Promise.allSettled([
      one.addToken(aToken('ann', 'child', { madeBy: 'to_ann_ci' })),
      other.revokeToken('to_ann_ci'),
    ]);
    expect(await store().tokens({ user: 'ann' })).toEqual([]);
  });
}
