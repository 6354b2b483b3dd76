import { describe, expect, test } from 'vitest';
import { personOf } from '../../src/domain/access/identity.ts';
import { may } from '../../src/domain/access/may.ts';
import { aGrant, aLink, aSession, aToken, aUser, NOW, populate, type Stores } from './access-fixtures.ts';

/** What every store promises of organizations, and of who is in them. */
export function peopleSuite(stores: Stores): void {
  const store = () => stores()[0];

  describe('organizations', () => {
    test('begin with one, have names of their own, and go with what is theirs', async () => {
      expect(await store().organizations()).toEqual([{ id: 'default', name: 'default', createdAt: 0 }]);
      await populate(store());
      await store().renameOrganization('acme', 'ACME Ltd');
      expect(await store().organization('acme')).toEqual({ id: 'acme', name: 'ACME Ltd', createdAt: NOW });
      const taken = { code: 'organization-exists' };
      await expect(store().addOrganization({ id: 'x', name: 'ACME Ltd', createdAt: 1 })).rejects.toMatchObject(taken);
      await expect(store().addOrganization({ id: 'acme', name: 'New', createdAt: 1 })).rejects.toMatchObject(taken);
      await expect(store().renameOrganization('default', 'ACME Ltd')).rejects.toMatchObject(taken);
      await expect(store().renameOrganization('none', 'x')).rejects.toMatchObject({ code: 'organization-unknown' });

      await store().addToken(
        aToken('bob', 'ci', { scope: { organization: 'acme', permissions: null, project: '*', environment: '*' } }),
      );
      await store().removeOrganization('acme');
      expect(await store().tokens({ user: 'bob' })).toEqual([]);
      expect(await store().standing('bob')).toMatchObject({ memberships: [] });
      await expect(store().removeOrganization('acme')).rejects.toMatchObject({ code: 'organization-unknown' });
      await expect(store().removeOrganization('default')).rejects.toMatchObject({ code: 'organization-in-use' });
    });

    test('of which two claim a project at once: one gets it, and both are told which', async () => {
      await populate(store());
      const [one, other] = stores();
      const claims = await Promise.all([
        one.claimProject('chat', 'default', NOW),
        other.claimProject('chat', 'acme', NOW),
        one.claimProject('chat', 'default', NOW),
        other.claimProject('chat', 'acme', NOW),
      ]);
      expect(new Set(claims).size).toBe(1);
      expect(await other.organizationOf('chat')).toBe(claims[0]);
      expect(await store().organizationOf('shop')).toBeNull();
      await expect(store().claimProject('shop', 'none', NOW)).rejects.toMatchObject({ code: 'organization-unknown' });
    });

    test('keep their projects: one that has some stays, and one is moved only from where it is', async () => {
      await populate(store());
      await store().claimProject('chat', 'acme', NOW);
      await expect(store().removeOrganization('acme')).rejects.toMatchObject({
        code: 'organization-in-use',
        why: expect.stringContaining('chat'),
      });
      const move = (from: string, to: string) => store().moveProject('chat', { from, to, at: NOW });
      expect(await move('default', 'acme')).toBe(false);
      await expect(move('acme', 'none')).rejects.toMatchObject({ code: 'organization-unknown' });
      expect(await move('acme', 'default')).toBe(true);
      expect(await store().projects()).toEqual([{ project: 'chat', organization: 'default' }]);
      expect(await store().projects('acme')).toEqual([]);
    });
  });

  describe('users', () => {
    test('the first is admin and runs the server, also when two controllers make one at once', async () => {
      const [one, other] = stores();
      const made = await Promise.all([
        one.addFirstUser(aUser('a'), { id: 'g1', by: 'setup' }),
        other.addFirstUser(aUser('b'), { id: 'g2', by: 'setup' }),
      ]);
      expect(made.filter(Boolean)).toHaveLength(1);
      const [only, ...more] = await store().users();
      expect(more).toEqual([]);
      expect(only).toMatchObject({ runsServer: true, hasPassword: false, hasSecondFactor: false });
      const standing = await store().standing(only?.id ?? '');
      const target = {
        on: 'environment',
        organization: 'default',
        project: 'chat',
        environment: 'production',
      } as const;
      expect(standing !== null && may(personOf(standing), 'rollout:approve', target).allowed).toBe(true);
    });

    test('have a sign-in name of their own, and show nobody what proves who they are', async () => {
      await populate(store());
      await expect(store().addUser(aUser('other', { login: 'ann@example.com' }))).rejects.toMatchObject({
        code: 'login-taken',
      });
      await store().setPassword('ann', '$argon2id$secret', NOW, null);
      await store().renameUser('ann', 'Ann B.');
      expect(await store().proofs({ login: 'ann@example.com' })).toMatchObject({
        user: { id: 'ann' },
        passwordHash: '$argon2id$secret',
        passwordAt: NOW,
      });
      expect(await store().proofs({ login: 'nobody' })).toBeNull();
      const shown = [await store().users(), await store().user('ann'), await store().members('default')];
      expect(JSON.stringify(shown)).not.toContain('argon2id');
      expect(await store().user('ann')).toMatchObject({ name: 'Ann B.', hasPassword: true });
      await expect(store().renameUser('none', 'x')).rejects.toMatchObject({ code: 'user-unknown' });
    });

    test('who get a better hash keep their sessions; a new password ends all but the one it was set in', async () => {
      await populate(store());
      await store().setPassword('ann', 'old', NOW, null);
      await store().addSession(aSession('ann', 's1'), { replaces: null });
      await store().addSession(aSession('ann', 's2'), { replaces: null });
      await store().addPendingSession(aSession('ann', 's3'), { replaces: null });
      await store().addLink(aLink('ann', 'l1'));
      const upgrades = await Promise.all(stores().map((each) => each.upgradePassword('ann', 'old', 'better')));
      expect(upgrades.filter(Boolean)).toHaveLength(1);
      const rule = { idleMs: 1e9, absoluteMs: 1e9 };
      expect(await store().sessions('ann', NOW, rule)).toHaveLength(2);
      await store().setPassword('ann', 'new', NOW + 1, 's2');
      expect((await store().sessions('ann', NOW, rule)).map(({ hash }) => hash)).toEqual(['s2']);
      expect(await store().pendingSession('s3', NOW)).toBeNull();
      expect(await store().takeLink('l1', NOW)).toBeNull();
      expect(await store().upgradePassword('ann', 'better', 'x')).toBe(false);
    });

    test('who are disabled have no session, link or token that counts; their tokens come back with them', async () => {
      await populate(store());
      await store().addSession(aSession('ann', 's1'), { replaces: null });
      await store().addLink(aLink('ann', 'l1'));
      await store().addToken(aToken('ann', 'ci'));
      await store().setDisabled('ann', NOW);
      const rule = { idleMs: 1e9, absoluteMs: 1e9 };
      expect(await store().session('s1', NOW, rule)).toBeNull();
      expect(await store().takeLink('l1', NOW)).toBeNull();
      expect(await store().token('hash of ann ci', NOW)).toBeNull();
      expect(await store().standing('ann')).toBeNull();
      for (const refused of [
        store().addSession(aSession('ann', 's2'), { replaces: null }),
        store().addLink(aLink('ann', 'l2')),
        store().addToken(aToken('ann', 'more')),
        store().linkIdentity({ issuer: 'i', subject: 's', user: 'ann', linkedAt: NOW }),
      ])
        await expect(refused).rejects.toMatchObject({ code: 'user-unknown' });
      await store().setDisabled('ann', null);
      expect(await store().session('s1', NOW, rule)).toBeNull();
      expect(await store().token('hash of ann ci', NOW)).toMatchObject({ token: { name: 'ci' } });
    });

    test('who are removed take all that is theirs with them', async () => {
      await populate(store());
      await store().addSession(aSession('ann', 's1'), { replaces: null });
      await store().addToken(aToken('ann', 'ci'));
      await store().addLink(aLink('ann', 'l1'));
      await store().linkIdentity({ issuer: 'i', subject: 's', user: 'ann', linkedAt: NOW });
      await store().removeUser('ann');
      expect(await store().members('default')).toEqual([]);
      expect(await store().tokens({ user: 'ann' })).toEqual([]);
      expect(await store().userOfIdentity('i', 's')).toBeNull();
      expect(await store().takeLink('l1', NOW)).toBeNull();
      await expect(store().removeUser('ann')).rejects.toMatchObject({ code: 'user-unknown' });
    });

    test('whose code is given twice at once get in once, and never again with an earlier one', async () => {
      await populate(store());
      expect(await store().setTotp('ann', 'sealed')).toBe(true);
      expect(await store().user('ann')).toMatchObject({ hasSecondFactor: false });
      const [one, other] = stores();
      const used = await Promise.all([one, other, one, other].map((each) => each.useTotpStep('ann', 'sealed', 100)));
      expect(used.filter(Boolean)).toHaveLength(1);
      expect(await store().useTotpStep('ann', 'sealed', 99)).toBe(false);
      expect(await store().useTotpStep('ann', 'another', 101)).toBe(false);
      expect(await store().useTotpStep('ann', 'sealed', 101)).toBe(true);
      expect(await store().proofs({ id: 'ann' })).toMatchObject({
        totp: { sealed: 'sealed', confirmed: true, usedStep: 101 },
      });
      // A confirmed factor cannot be swapped for another one: it is taken away first.
      expect(await store().setTotp('ann', 'swapped')).toBe(false);
      expect(await store().setTotp('ann', null)).toBe(true);
      expect(await store().user('ann')).toMatchObject({ hasSecondFactor: false });
      expect(await store().useTotpStep('ann', 'sealed', 200)).toBe(false);
    });
  });

  describe('members', () => {
    test('have grants in their organization, which go with them, and so do its tokens', async () => {
      await populate(store());
      await store().addMember('acme', 'ann', NOW);
      await store().addMember('acme', 'ann', NOW + 5);
      await store().addGrant(aGrant('ann', 'viewer', { organization: 'acme' }));
      await store().addToken(aToken('ann', 'all'));
      await store().addToken(
        aToken('ann', 'acme', {
          scope: { organization: 'acme', permissions: ['logs:read'], project: 'chat', environment: 'st*' },
        }),
      );
      const members = await store().members('acme');
      expect(members.map(({ user, since, grants }) => [user.id, since, grants.map(({ role }) => role)])).toEqual([
        ['ann', NOW, ['viewer']],
        ['bob', NOW, ['operator']],
      ]);
      expect((await store().tokens({ organization: 'acme' })).map(({ name }) => name)).toEqual(['acme', 'all']);
      expect(await store().removeMember('acme', 'ann')).toBe(true);
      expect(await store().removeMember('acme', 'ann')).toBe(false);
      expect(await store().standing('ann')).toEqual({
        id: 'ann',
        login: 'ann@example.com',
        runsServer: false,
        memberships: [
          { organization: 'default', grants: [{ role: 'admin', project: '*', environment: '*' }], roles: [] },
        ],
      });
      expect((await store().tokens({ user: 'ann' })).map(({ name }) => name)).toEqual(['all']);
      await expect(store().addMember('acme', 'none', NOW)).rejects.toMatchObject({ code: 'user-unknown' });
      await expect(store().addMember('none', 'ann', NOW)).rejects.toMatchObject({ code: 'organization-unknown' });
    });

    test('get the same grant once, only a role that there is, and only as members', async () => {
      await populate(store());
      const again = await Promise.all(
        stores().map((each, i) => each.addGrant(aGrant('bob', 'viewer', { id: `g${i}`, organization: 'acme' }))),
      );
      expect(new Set(again.map(({ id }) => id)).size).toBe(1);
      await expect(store().addGrant(aGrant('bob', 'viewer'))).rejects.toMatchObject({ code: 'member-unknown' });
      await expect(store().addGrant(aGrant('ann', 'pilot'))).rejects.toMatchObject({ code: 'role-unknown' });
      expect(await store().grant('default', again[0]?.id ?? '')).toBeNull();
      expect(await store().removeGrant('default', again[0]?.id ?? '')).toBe(false);
      expect(await store().grant('acme', again[0]?.id ?? '')).toMatchObject({ user: 'bob', role: 'viewer' });
      expect(await store().removeGrant('acme', again[0]?.id ?? '')).toBe(true);
    });

    test('removed while they are given a grant end without one, whoever comes first', async () => {
      await populate(store());
      const [one, other] = stores();
      await Promise.allSettled([
        one.removeMember('acme', 'bob'),
        other.addGrant(aGrant('bob', 'admin', { organization: 'acme' })),
      ]);
      expect(await store().members('acme')).toEqual([]);
      expect(await store().standing('bob')).toMatchObject({ memberships: [] });
      await store().addMember('acme', 'bob', NOW);
      expect(await store().standing('bob')).toMatchObject({ memberships: [{ organization: 'acme', grants: [] }] });
    });
  });

  describe('roles of an organization', () => {
    const pilot = { name: 'pilot', permissions: ['environment:deploy', 'rollout:steer'] } as const;

    test('are its own, change for all who have them, and stay while somebody has them', async () => {
      await populate(store());
      await store().saveRole('default', pilot, NOW, 'new');
      expect(await store().roles('default')).toEqual([pilot]);
      expect(await store().roles('acme')).toEqual([]);
      await expect(store().saveRole('default', pilot, NOW, 'new')).rejects.toMatchObject({ code: 'role-exists' });
      await expect(store().saveRole('acme', pilot, NOW, 'known')).rejects.toMatchObject({ code: 'role-unknown' });
      const grant = await store().addGrant(aGrant('ann', 'pilot'));
      await expect(store().removeRole('default', 'pilot')).rejects.toMatchObject({ code: 'role-in-use' });
      await store().saveRole('default', { ...pilot, permissions: ['logs:read'] }, NOW, 'known');
      expect(await store().standing('ann')).toMatchObject({
        memberships: [{ roles: [{ name: 'pilot', permissions: ['logs:read'] }] }],
      });
      expect(await store().standing('bob')).toMatchObject({ memberships: [{ roles: [] }] });
      await store().removeGrant('default', grant.id);
      await store().removeRole('default', 'pilot');
      await expect(store().removeRole('default', 'pilot')).rejects.toMatchObject({ code: 'role-unknown' });
    });

    test('removed while they are granted: either the role stays, or nobody has it', async () => {
      await populate(store());
      await store().saveRole('default', pilot, NOW, 'new');
      const [one, other] = stores();
      await Promise.allSettled([one.removeRole('default', 'pilot'), other.addGrant(aGrant('ann', 'pilot'))]);
      const is = (await store().roles('default')).length === 1;
      const granted = (await store().members('default'))
        .flatMap(({ grants }) => grants)
        .some(({ role }) => role === 'pilot');
      expect(granted).toBe(is);
    });
  });
}
