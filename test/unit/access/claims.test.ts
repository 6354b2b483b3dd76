import { describe, expect, test } from 'vitest';
import { admit, claimAt, emailIn, grantedBy, isListed, loginIn } from '../../../src/domain/access/claims.ts';
import type { RoleRule } from '../../../src/domain/access/elsewhere.ts';

const rule = (claim: string, value: string): RoleRule => ({
  when: { claim, value },
  role: 'operator',
  organization: 'default',
  project: '*',
  environment: '*',
});

describe('claims', () => {
  test('are found by their name, also when it is an address, and by the way to them', () => {
    const claims = { 'https://example.com/roles': ['a'], realm_access: { roles: ['b'] } };
    expect(claimAt(claims, 'https://example.com/roles')).toEqual(['a']);
    expect(claimAt(claims, 'realm_access.roles')).toEqual(['b']);
    for (const path of ['constructor', 'realm_access.constructor.name', '__proto__', 'realm_access.roles.length'])
      expect(claimAt(claims, path)).toBeUndefined();
  });

  test('give a role by a whole value alone', () => {
    const rules = [rule('groups', 'ops')];
    for (const groups of ['ops', ['dev', 'ops']]) expect(grantedBy({ groups }, rules)).toHaveLength(1);
    for (const groups of ['ops dev', 'opsx', ['OPS'], [['ops']], { ops: true }, null, 1])
      expect(grantedBy({ groups }, rules)).toEqual([]);
    expect(grantedBy({ admin: true }, [rule('admin', 'true')])).toHaveLength(1);
    expect(grantedBy({}, [{ ...rule('x', 'y'), when: null }])).toHaveLength(1);
  });

  test('name somebody by an address only if it is verified', () => {
    const reading = { login: 'email', trustsEmails: false };
    expect(loginIn({ email: 'Ann@Example.com', email_verified: true }, reading)).toBe('ann@example.com');
    for (const email_verified of [false, undefined, 1, 'yes'])
      expect(loginIn({ email: 'ann@example.com', email_verified }, reading)).toBeNull();
    expect(loginIn({ email: 'ann@example.com' }, { ...reading, trustsEmails: true })).toBe('ann@example.com');
    expect(loginIn({ nick: ' Ann ' }, { ...reading, login: 'nick' })).toBe('ann');
    for (const nick of ['', ' ', 'a\u202eb', 'x'.repeat(201), 7, ['ann']])
      expect(loginIn({ nick }, { ...reading, login: 'nick' })).toBeNull();
  });

  test('letters that look like others make no address', () => {
    for (const email of [
      'a@ex\uff41mple.com',
      'a@b@example.com',
      'a b@example.com',
      'a@',
      '@example.com',
      'a\n@example.com',
    ])
      expect(emailIn({ email, email_verified: true }, true)).toBeNull();
  });

  test('an address is listed by itself or by its domain, and by none below or above it', () => {
    expect(isListed('ann@example.com', ['@example.com'])).toBe(true);
    expect(isListed('ann@example.com', ['ann@example.com'])).toBe(true);
    for (const email of ['ann@sub.example.com', 'ann@evilexample.com', 'ann@example.com.evil.org', 'bob@example.org'])
      expect(isListed(email, ['@example.com', 'ann@example.org'])).toBe(false);
  });
});

describe('an account that nobody has linked', () => {
  const ann = { login: 'ann@example.com', email: 'ann@example.com', unverified: false };
  const listed = { emails: ['@example.com'] };

  test('is let in as the operator says, and never as somebody who has signed in otherwise', () => {
    expect(admit('linked', ann, { arrived: false })).toMatchObject({ as: 'nobody', code: 'sign-in-refused' });
    expect(admit('invited', ann, null)).toMatchObject({ as: 'nobody' });
    expect(admit('invited', ann, { arrived: false })).toEqual({ as: 'namesake' });
    expect(admit('invited', ann, { arrived: true })).toMatchObject({ as: 'nobody' });
    expect(admit(listed, ann, null)).toEqual({ as: 'newcomer' });
    expect(admit(listed, ann, { arrived: true })).toMatchObject({ as: 'nobody' });
    expect(admit({ emails: ['@example.org'] }, ann, null)).toMatchObject({ as: 'nobody' });
  });

  test('is told when its address is not verified', () => {
    const unverified = { login: null, email: null, unverified: true };
    expect(admit('invited', unverified, null)).toMatchObject({ as: 'nobody', code: 'email-unverified' });
    expect(admit(listed, { ...unverified, login: 'ann' }, null)).toMatchObject({ code: 'email-unverified' });
  });
});
