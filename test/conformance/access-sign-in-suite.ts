import { beforeEach, describe, expect, test } from 'vitest';
import { SEEN_EVERY_MS, SESSION_RULE } from '../../src/domain/access/sessions.ts';
import { FORGET_AFTER_MS, LIMIT_OF_ADDRESS, LIMIT_OF_NAME } from '../../src/domain/access/sign-in-limits.ts';
import type { AccessStore } from '../../src/ports/access-store.ts';
import { aLink, aSession, aToken, NOW, populate, type Stores } from './access-fixtures.ts';

/** What every store promises of that by which people and programs are known. */
export function signInSuite(stores: Stores): void {
  const store = () => stores()[0];
  const none = { replaces: null };
  const sessionOf = (hash: string, now = NOW) => store().session(hash, now, SESSION_RULE);
  beforeEach(() => populate(store()));

  describe('sessions', () => {
    test('are found by their hash, with who it is, until they are over', async () => {
      expect(await store().hasAnybodySignedIn()).toBe(false);
      const session = aSession('ann', 's1', { agent: 'Firefox', address: null });
      await store().addSession(session, none);
      const found = await sessionOf('s1');
      expect(found?.session).toEqual(session);
      expect(found?.standing).toMatchObject({ id: 'ann', memberships: [{ organization: 'default' }] });
      expect(await sessionOf('s2')).toBeNull();
      expect(await sessionOf('s1', NOW + SESSION_RULE.idleMs)).toBeNull();
      expect(await store().sessions('ann', NOW + SESSION_RULE.idleMs, SESSION_RULE)).toEqual([]);
      expect(await store().user('ann')).toMatchObject({ signedInAt: NOW });
      expect(await store().hasAnybodySignedIn()).toBe(true);
    });

    test('live on while they are used, and not beyond their absolute end', async () => {
      await store().addSession(aSession('ann', 's1'), none);
      await store().sessionSeen('s1', NOW + SEEN_EVERY_MS - 1);
      expect((await sessionOf('s1'))?.session.seenAt).toBe(NOW);
      let now = NOW;
      while (now < NOW + SESSION_RULE.absoluteMs) {
        expect(await sessionOf('s1', now)).not.toBeNull();
        now += SESSION_RULE.idleMs / 2;
        await store().sessionSeen('s1', now);
      }
      expect(await sessionOf('s1', now)).toBeNull();
      await store().sessionSeen('s1', NOW);
      await store().forgetExpired(now, SESSION_RULE);
      expect(await store().endSession({ hash: 's1' })).toBe(false);
    });

    test('replace the one before them, so that a planted id is worth nothing', async () => {
      await store().addPendingSession(aSession('ann', 'planted'), none);
      expect(await sessionOf('planted')).toBeNull();
      expect(await store().pendingSession('planted', NOW)).toMatchObject({ user: 'ann' });
      await store().addSession(aSession('ann', 's1'), { replaces: 'planted' });
      expect(await store().pendingSession('planted', NOW)).toBeNull();
      expect(await store().pendingSession('s1', NOW)).toBeNull();
      expect(await sessionOf('s1')).not.toBeNull();
      await store().addPendingSession(aSession('ann', 'late', { expiresAt: NOW + 1 }), none);
      expect(await store().pendingSession('late', NOW + 1)).toBeNull();
    });

    test('are not made with a password that is being changed, whoever comes first', async () => {
      await store().setPassword('ann', 'old', NOW, null);
      const [one, other] = stores();
      const [signedIn] = await Promise.allSettled([
        one.addSession(aSession('ann', 's1'), { replaces: null, passwordAt: NOW }),
        other.setPassword('ann', 'new', NOW + 1, null),
      ]);
      expect(await sessionOf('s1')).toBeNull();
      if (signedIn.status === 'rejected') expect(signedIn.reason).toMatchObject({ code: 'sign-in-outdated' });
      await expect(
        store().addSession(aSession('ann', 's2'), { replaces: null, passwordAt: NOW }),
      ).rejects.toMatchObject({ code: 'sign-in-outdated' });
      await store().addSession(aSession('ann', 's3'), { replaces: null, passwordAt: NOW + 1 });
    });

    test('complete a second step once, and only while it is pending', async () => {
      await store().addPendingSession(aSession('ann', 'p1'), none);
      const complete = (each: AccessStore, hash: string) =>
        each.addSession(aSession('ann', hash), { replaces: 'p1', completes: true });
      const [one, other] = stores();
      const done = await Promise.allSettled([complete(one, 's1'), complete(other, 's2')]);
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(done.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'sign-in-outdated' });
      const whole = store().addSession(aSession('ann', 's3'), { replaces: 's1', completes: true });
      await expect(whole).rejects.toMatchObject({ code: 'sign-in-outdated' });
      expect(await store().sessions('ann', NOW, SESSION_RULE)).toHaveLength(1);
    });

    test('are not left behind by somebody who is disabled while signing in', async () => {
      const [one, other] = stores();
      await Promise.allSettled([one.addSession(aSession('ann', 's1'), none), other.setDisabled('ann', NOW)]);
      expect(await sessionOf('s1')).toBeNull();
      await store().setDisabled('ann', null);
      expect(await sessionOf('s1')).toBeNull();
    });

    test('are ended one by one by their own user, or all but one; fifty are kept', async () => {
      for (let i = 0; i < 52; i++) await store().addSession(aSession('ann', `s${i}`, { seenAt: NOW + i }), none);
      const kept = await store().sessions('ann', NOW, SESSION_RULE);
      expect(kept).toHaveLength(50);
      expect(kept[0]?.hash).toBe('s51');
      expect(await sessionOf('s1')).toBeNull();
      expect(await store().endSession({ user: 'bob', id: 'se_s51' })).toBe(false);
      expect(await store().endSession({ user: 'ann', id: 'se_s51' })).toBe(true);
      expect(await store().endSession({ hash: 's50' })).toBe(true);
      expect(await store().endSessions('ann', 's49')).toBe(47);
      expect((await store().sessions('ann', NOW, SESSION_RULE)).map(({ hash }) => hash)).toEqual(['s49']);
    });
  });

  describe('tokens', () => {
    const narrow = {
      organization: 'default',
      permissions: ['environment:deploy', 'logs:read'],
      project: 'chat',
      environment: 'staging',
    } as const;

    test('come back as they were made, with their owner, until they expire or are revoked', async () => {
      const token = aToken('ann', 'ci', { scope: narrow, expiresAt: NOW + 1_000 });
      await store().addToken(token);
      const found = await store().token(token.hash, NOW);
      expect(found?.token).toEqual(token);
      expect(found?.standing.login).toBe('ann@example.com');
      expect(await store().token('another hash', NOW)).toBeNull();
      expect(await store().token(token.hash, NOW + 1_000)).toBeNull();
      expect(await store().tokens({ user: 'ann' })).toEqual([token]);
      expect(await store().revokeToken(token.id)).toBe(true);
      expect(await store().token(token.hash, NOW)).toBeNull();
      expect(await store().revokeToken(token.id)).toBe(false);
    });

    test('have a name of their own, and an owner and an organization that there are', async () => {
      await store().addToken(aToken('ann', 'ci'));
      await store().addToken(aToken('bob', 'ci'));
      await expect(store().addToken(aToken('ann', 'ci', { id: 'x', hash: 'y' }))).rejects.toMatchObject({
        code: 'token-name-taken',
      });
      await expect(store().addToken(aToken('none', 'ci'))).rejects.toMatchObject({ code: 'user-unknown' });
      const lost = aToken('ann', 'lost', { scope: { ...narrow, organization: 'none' } });
      await expect(store().addToken(lost)).rejects.toMatchObject({ code: 'organization-unknown' });
    });

    test('say when they were last used and from where, to the minute', async () => {
      await store().addToken(aToken('ann', 'ci'));
      const used = async () =>
        (await store().tokens({ user: 'ann' })).map(({ usedAt, usedFrom }) => [usedAt, usedFrom]);
      await store().tokenUsed('to_ann_ci', NOW, '10.0.0.1');
      await store().tokenUsed('to_ann_ci', NOW + SEEN_EVERY_MS - 1, '10.0.0.2');
      expect(await used()).toEqual([[NOW, '10.0.0.1']]);
      await store().tokenUsed('to_ann_ci', NOW + SEEN_EVERY_MS, null);
      expect(await used()).toEqual([[NOW + SEEN_EVERY_MS, null]]);
      await store().tokenUsed('none', NOW, null);
    });
  });

  describe('links', () => {
    test('work once: of two who open one at the same moment, one gets in', async () => {
      await store().addLink(aLink('ann', 'l1'));
      const taken = await Promise.all(stores().flatMap((each) => [each.takeLink('l1', NOW), each.takeLink('l1', NOW)]));
      expect(taken.filter((link) => link !== null)).toEqual([aLink('ann', 'l1')]);
    });

    test('end with the next one for the same person, and with their time', async () => {
      await store().addLink(aLink('ann', 'l1'));
      await store().addLink(aLink('ann', 'l2', { purpose: 'reset' }));
      expect(await store().takeLink('l1', NOW)).toBeNull();
      expect(await store().takeLink('l2', NOW + 60_000)).toBeNull();
      expect(await store().takeLink('l2', NOW)).toBeNull();
    });
  });

  test('accounts elsewhere belong to one user, of two who link one at once too', async () => {
    const identity = (user: string) => ({ issuer: 'https://id.example.com', subject: '42', user, linkedAt: NOW });
    const [one, other] = stores();
    const linked = await Promise.allSettled([one.linkIdentity(identity('ann')), other.linkIdentity(identity('bob'))]);
    expect(linked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(linked.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'identity-taken' });
    const user = (await store().userOfIdentity('https://id.example.com', '42')) ?? '';
    await store().linkIdentity({ ...identity(user), linkedAt: NOW + 1 });
    expect(await store().identities(user)).toEqual([identity(user)]);
    expect(await store().userOfIdentity('https://evil.example.com', '42')).toBeNull();
    expect(await store().unlinkIdentity(user === 'ann' ? 'bob' : 'ann', 'https://id.example.com', '42')).toBe(false);
    expect(await store().unlinkIdentity(user, 'https://id.example.com', '42')).toBe(true);
  });

  describe('tries to sign in', () => {
    const keys = [
      { key: 'name:ann', limit: LIMIT_OF_NAME },
      { key: 'address:10.0.0.1', limit: LIMIT_OF_ADDRESS },
    ];

    test('are counted before they are looked at: a crowd at one moment gets no more of them', async () => {
      const tried = await Promise.all(
        Array.from({ length: 20 }, (_, i) => stores()[i % 2 === 0 ? 0 : 1].beginAttempt(keys, NOW)),
      );
      expect(tried.filter(({ allowed }) => allowed)).toHaveLength(LIMIT_OF_NAME.free);
      expect(tried.find(({ allowed }) => !allowed)).toEqual({ allowed: false, key: 'name:ann', waitMs: 1_000 });
      // Those refused for the name were not counted for the address either.
      const [, address] = keys;
      const more = await Promise.all(
        Array.from({ length: LIMIT_OF_ADDRESS.free }, () =>
          store().beginAttempt(address === undefined ? [] : [address], NOW),
        ),
      );
      expect(more.filter(({ allowed }) => allowed)).toHaveLength(LIMIT_OF_ADDRESS.free - LIMIT_OF_NAME.free);
    });

    test('that succeed free the name and are no guess of the address', async () => {
      for (let i = 0; i < LIMIT_OF_ADDRESS.free * 2; i++) {
        expect(await store().beginAttempt(keys, NOW)).toEqual({ allowed: true });
        await store().attemptSucceeded({ forget: 'name:ann', takeOff: ['address:10.0.0.1'] });
      }
    });

    test('are forgotten in the end', async () => {
      for (let i = 0; i < LIMIT_OF_NAME.free; i++) await store().beginAttempt(keys, NOW);
      expect(await store().beginAttempt(keys, NOW)).toMatchObject({ allowed: false });
      await store().forgetExpired(NOW + FORGET_AFTER_MS, SESSION_RULE);
      expect(await store().beginAttempt(keys, NOW)).toEqual({ allowed: true });
    });
  });

  test('what is over is deleted, and what is not stays', async () => {
    await store().addSession(aSession('ann', 'idle'), none);
    await store().addSession(aSession('ann', 'busy', { seenAt: NOW + 1_000 }), none);
    await store().addLink(aLink('ann', 'l1'));
    await store().addToken(aToken('ann', 'old', { expiresAt: NOW }));
    await store().addToken(aToken('ann', 'forever'));
    await store().forgetExpired(NOW + SESSION_RULE.idleMs, SESSION_RULE);
    expect(await store().endSession({ hash: 'idle' })).toBe(false);
    expect(await sessionOf('busy', NOW + SESSION_RULE.idleMs)).not.toBeNull();
    expect(await store().takeLink('l1', NOW)).toBeNull();
    expect((await store().tokens({ user: 'ann' })).map(({ name }) => name)).toEqual(['forever', 'old']);
    await store().forgetExpired(NOW + 31 * 86_400_000, SESSION_RULE);
    expect((await store().tokens({ user: 'ann' })).map(({ name }) => name)).toEqual(['forever']);
  });
}
