import { WHOLE_SCOPE } from '../../src/domain/access/identity.ts';
import { SESSION_RULE } from '../../src/domain/access/sessions.ts';
import type { AccessStore } from '../../src/ports/access-store.ts';
import type { NewUser, StoredGrant } from '../../src/ports/people-store.ts';
import type { ApiToken, Session, SignInLink } from '../../src/ports/sign-in-store.ts';

export const NOW = 1_700_000_000_000;

/** Two stores on one database, as two controllers have them; one and the same where there can be no second. */
export type Stores = () => readonly [AccessStore, AccessStore];

export const aUser = (id: string, over: Partial<NewUser> = {}): NewUser => ({
  id,
  login: `${id}@example.com`,
  name: id,
  runsServer: false,
  createdAt: NOW,
  ...over,
});

export const aGrant = (user: string, role: string, over: Partial<StoredGrant> = {}): StoredGrant => ({
  id: `gr_${user}_${role}`,
  organization: 'default',
  user,
  role,
  project: '*',
  environment: '*',
  grantedBy: 'local',
  grantedAt: NOW,
  ...over,
});

export const aSession = (user: string, hash: string, over: Partial<Session> = {}): Session => ({
  id: `se_${hash}`,
  hash,
  user,
  method: 'password',
  address: '127.0.0.1',
  agent: null,
  createdAt: NOW,
  seenAt: NOW,
  expiresAt: NOW + SESSION_RULE.absoluteMs,
  ...over,
});

export const aToken = (user: string, name: string, over: Partial<ApiToken> = {}): ApiToken => ({
  id: `to_${user}_${name}`,
  hash: `hash of ${user} ${name}`,
  prefix: 'ek_01234567',
  name,
  user,
  madeBy: null,
  scope: WHOLE_SCOPE,
  createdAt: NOW,
  expiresAt: null,
  usedAt: null,
  usedFrom: null,
  ...over,
});

export const aLink = (user: string, hash: string, over: Partial<SignInLink> = {}): SignInLink => ({
  hash,
  user,
  purpose: 'invitation',
  createdBy: 'ann',
  createdAt: NOW,
  expiresAt: NOW + 60_000,
  ...over,
});

/** Ann is admin of `default`; `acme` is another organization, with bob. */
export async function populate(store: AccessStore): Promise<void> {
  await store.addOrganization({ id: 'acme', name: 'Acme', createdAt: NOW });
  await store.addUser(aUser('ann'));
  await store.addUser(aUser('bob'));
  await store.addMember('default', 'ann', NOW);
  await store.addMember('acme', 'bob', NOW);
  await store.addGrant(aGrant('ann', 'admin'));
  await store.addGrant(aGrant('bob', 'operator', { organization: 'acme', environment: 'staging' }));
}
