import { describe, expect, test } from 'vitest';
import { mayGrant, mayShapeRole, narrowed } from '../../../src/domain/access/granting.ts';
import { type Grant, humanOf, personOf, type TokenHolder, WHOLE_SCOPE } from '../../../src/domain/access/identity.ts';
import { may, SERVER, type Target } from '../../../src/domain/access/may.ts';
import { organizationNameSchema } from '../../../src/domain/access/organization.ts';
import { patternSchema } from '../../../src/domain/access/patterns.ts';
import { customRoleSchema } from '../../../src/domain/access/roles.ts';

const staging: Target = { on: 'environment', organization: 'acme', project: 'chat', environment: 'staging' };
const production: Target = { ...staging, environment: 'production' };
const acme: Target = { on: 'organization', organization: 'acme' };

const everywhere = (role: string): Grant => ({ role, project: '*', environment: '*' });
const ann = (grants: Grant[], runsServer = false) =>
  personOf({ id: 'u1', login: 'ann', runsServer, memberships: [{ organization: 'acme', grants, roles: [] }] });
const ci = (owner: ReturnType<typeof ann>, over: Partial<TokenHolder['scope']>): TokenHolder => ({
  kind: 'token',
  id: 't1',
  name: 'ann (ci)',
  owner,
  scope: { ...WHOLE_SCOPE, ...over },
});

describe('an operator of staging who views all', () => {
  const who = ann([everywhere('viewer'), { role: 'operator', project: '*', environment: 'staging' }]);

  test('may deploy to staging and not to production, and is told why', () => {
    expect(may(who, 'environment:deploy', staging)).toEqual({ allowed: true, reason: 'operator of */staging in acme' });
    expect(may(who, 'environment:deploy', production)).toEqual({
      allowed: false,
      reason: 'no role of yours has environment:deploy for production of chat',
    });
    expect(may(who, 'environment:read', production).allowed).toBe(true);
    expect(may(who, 'people:write', acme).allowed).toBe(false);
  });

  test('may nothing in a project that belongs to nobody', () => {
    expect(may(who, 'environment:read', { ...staging, organization: null })).toEqual({
      allowed: false,
      reason: 'chat belongs to no organization',
    });
  });
});

describe('who runs the server', () => {
  test('has its permissions, and none in an organization by that', () => {
    const who = ann([], true);
    expect(may(who, 'server:operate', SERVER).allowed).toBe(true);
    expect(may(who, 'environment:read', staging).allowed).toBe(false);
    expect(may(ann([everywhere('admin')]), 'server:operate', SERVER).allowed).toBe(false);
  });

  test('gives them to a token only when it is made for everything', () => {
    expect(may(ci(ann([], true), {}), 'server:read', SERVER).allowed).toBe(true);
    expect(may(ci(ann([], true), { project: 'chat' }), 'server:read', SERVER).allowed).toBe(false);
    expect(may(ci(ann([], true), { organization: 'acme' }), 'server:read', SERVER).allowed).toBe(false);
  });
});

describe('a token', () => {
  test('loses what its owner loses', () => {
    const scope = { permissions: ['environment:deploy'] as const, environment: 'staging' };
    expect(may(ci(ann([everywhere('operator')]), scope), 'environment:deploy', staging).allowed).toBe(true);
    expect(may(ci(ann([everywhere('operator')]), scope), 'environment:deploy', production).reason).toBe(
      'the token is not made for production of chat',
    );
    expect(may(ci(ann([everywhere('viewer')]), scope), 'environment:deploy', staging).reason).toMatch(
      /^the owner of the token may not: /,
    );
  });

  test('cannot be made into one of another organization', () => {
    expect(narrowed({ ...WHOLE_SCOPE, organization: 'acme' }, { ...WHOLE_SCOPE, organization: 'other' })).toBeNull();
    expect(narrowed({ ...WHOLE_SCOPE, environment: 'st*' }, WHOLE_SCOPE)).toBeNull();
  });
});

describe('granting', () => {
  test('what one does not have is refused', () => {
    const people = { name: 'hr', permissions: ['people:write'] as const };
    const hr = personOf({
      id: 'u2',
      login: 'hal',
      runsServer: false,
      memberships: [{ organization: 'acme', grants: [everywhere('hr'), everywhere('viewer')], roles: [people] }],
    });
    const viewer = ann([everywhere('viewer')]).memberships[0]?.grants[0];
    const admin = ann([everywhere('admin')]).memberships[0]?.grants[0];
    if (viewer === undefined || admin === undefined) throw new Error('no grants');
    expect(mayGrant(hr, 'acme', viewer).allowed).toBe(true);
    expect(mayGrant(hr, 'acme', admin)).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('admin for */*'),
    });
    expect(mayGrant(hr, 'other', viewer).allowed).toBe(false);
    expect(mayGrant(ann([everywhere('admin')]), 'acme', admin).allowed).toBe(true);
    expect(mayShapeRole(hr, 'acme', ['environment:read']).allowed).toBe(false);
    expect(mayShapeRole(ann([everywhere('admin')]), 'acme', ['environment:deploy']).allowed).toBe(true);
    expect(mayShapeRole(ann([everywhere('admin')]), 'acme', ['server:operate']).allowed).toBe(false);
  });
});

test('granting reaches only as far as one does oneself, with a token only as far as that does', () => {
  const manager = { name: 'manager', permissions: ['people:write'] as const };
  const who = personOf({
    id: 'u3',
    login: 'max',
    runsServer: false,
    memberships: [
      {
        organization: 'acme',
        grants: [everywhere('manager'), { role: 'admin', project: 'chat', environment: 'st*' }],
        roles: [manager],
      },
      { organization: 'other', grants: [everywhere('admin')], roles: [] },
    ],
  });
  const deploys = (project: string, environment: string) => ({
    role: 'pilot',
    project,
    environment,
    permissions: ['environment:deploy'] as const,
  });
  expect(mayGrant(who, 'acme', deploys('chat', 'staging')).allowed).toBe(true);
  expect(mayGrant(who, 'acme', deploys('chat', 'st*-eu')).allowed).toBe(true);
  for (const [project, environment] of [
    ['shop', 'staging'],
    ['*', 'staging'],
    ['chat', 'production'],
    ['chat', '*'],
  ] as const)
    expect(mayGrant(who, 'acme', deploys(project, environment)).allowed).toBe(false);
  const scope = { permissions: ['people:write'] as const };
  const token: TokenHolder = { ...ci(ann([]), scope), owner: who };
  expect(mayGrant(token, 'acme', deploys('chat', 'staging')).allowed).toBe(false);
  expect(mayGrant({ ...token, scope: WHOLE_SCOPE }, 'acme', deploys('chat', 'staging')).allowed).toBe(true);
  const chat = { ...WHOLE_SCOPE, project: 'chat' };
  expect(narrowed(chat, WHOLE_SCOPE)).toBeNull();
  expect(narrowed(chat, { ...chat, environment: 'staging' })).toEqual({ ...chat, environment: 'staging' });
  expect(narrowed({ ...WHOLE_SCOPE, permissions: ['logs:read'] }, WHOLE_SCOPE)?.permissions).toEqual(['logs:read']);
});

test('a custom role has a name of its own, known permissions, and none of the server', () => {
  const parsed = customRoleSchema.parse({ name: 'release', permissions: ['rollout:steer', 'rollout:steer'] });
  expect(parsed).toEqual({ name: 'release', permissions: ['rollout:steer'] });
  const bad = [
    { name: 'admin', permissions: ['environment:read'] },
    { name: 'constructor!', permissions: ['environment:read'] },
    { name: 'x', permissions: ['environment:fly'] },
    { name: 'x', permissions: ['server:operate'] },
    { name: 'x', permissions: [] },
  ];
  for (const each of bad) expect(customRoleSchema.safeParse(each).success).toBe(false);
});

test('patterns and names of organizations are what people can read and the store can hold', () => {
  for (const good of ['*', 'chat', 'staging-*', '*-eu-*']) expect(patternSchema.safeParse(good).success).toBe(true);
  for (const bad of ['', 'Chat', 'a b', 'a/b', '*'.repeat(81)])
    expect(patternSchema.safeParse(bad).success).toBe(false);
  expect(organizationNameSchema.parse('  Acme & Söhne ')).toBe('Acme & Söhne');
  for (const bad of ['', '   ', 'a\nb', 'x'.repeat(81)])
    expect(organizationNameSchema.safeParse(bad).success).toBe(false);
});

test('a human being is one, by hand, by token, by an account elsewhere and at the machine itself', () => {
  const who = ann([everywhere('approver')]);
  const bearer = {
    kind: 'bearer',
    issuer: 'https://id',
    subject: '7',
    name: '7',
    user: { id: 'u1', login: 'ann' },
    memberships: [],
  } as const;
  for (const same of [who, ci(who, {}), bearer, { kind: 'local', name: 'Ann' } as const])
    expect(humanOf(same)).toBe('person:ann');
  expect(humanOf({ ...bearer, user: null })).not.toBe('person:ann');
  // An account that nobody has linked, under the name that the issuer has verified.
  expect(humanOf({ ...bearer, user: null, name: 'ann' })).toBe('person:ann');
});
