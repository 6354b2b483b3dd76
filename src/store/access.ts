import type { AccessStore } from '../ports/access-store.ts';
import * as members from './queries/access/members.ts';
import * as organizations from './queries/access/organizations.ts';
import * as sessions from './queries/access/sessions.ts';
import * as signIn from './queries/access/sign-in.ts';
import { findStanding } from './queries/access/standing.ts';
import * as tokens from './queries/access/tokens.ts';
import * as users from './queries/access/users.ts';
import type { Transactor } from './transactor.ts';

/** What takes access away is written even when the disk has room for nothing else. */
const TAKES_AWAY = { lastResort: true };

/** The part of the store that knows who may do what. */
export function createAccessStore({ read, write }: Pick<Transactor, 'read' | 'write'>): AccessStore {
  return {
    organizations: () => read(organizations.listOrganizations),
    organization: (id) => read((db) => organizations.findOrganization(db, id)),
    addOrganization: (organization) => write((db) => organizations.addOrganization(db, organization)),
    renameOrganization: (id, name) => write((db) => organizations.renameOrganization(db, id, name)),
    removeOrganization: (id) => write((db) => organizations.removeOrganization(db, id), TAKES_AWAY),
    organizationOf: (project) => read((db) => organizations.organizationOf(db, project)),
    projects: (organization) => read((db) => organizations.listProjects(db, organization)),
    claimProject: (project, organization, at) =>
      write((db) => organizations.claimProject(db, project, organization, at)),
    moveProject: (project, move) => write((db) => organizations.moveProject(db, project, move)),

    addFirstUser: (user, grant) => write((db) => users.addFirstUser(db, user, grant)),
    addUser: (user) => write((db) => users.addUser(db, user)),
    user: (id) => read((db) => users.findUser(db, id)),
    proofs: (of) => read((db) => users.findProofs(db, of)),
    users: () => read(users.listUsers),
    hasAnybodySignedIn: () => read(users.hasAnybodySignedIn),
    renameUser: (id, name) => write((db) => users.renameUser(db, id, name)),
    setRunsServer: (id, runsServer, keep) => write((db) => users.setRunsServer(db, id, runsServer, keep), TAKES_AWAY),
    setDisabled: (id, at, keep) => write((db) => users.setDisabled(db, id, at, keep), TAKES_AWAY),
    removeUser: (id, keep) => write((db) => users.removeUser(db, id, keep), TAKES_AWAY),
    setPassword: (id, hash, at, keepSession) =>
      write((db) => users.setPassword(db, id, { hash, at, keepSession }), TAKES_AWAY),
    upgradePassword: (id, from, to) => write((db) => users.upgradePassword(db, id, from, to)),
    setTotp: (id, sealed) => write((db) => users.setTotp(db, id, sealed)),
    useTotpStep: (id, sealed, step) => write((db) => users.useTotpStep(db, id, sealed, step)),

    members: (organization) => read((db) => members.listMembers(db, organization)),
    addMember: (organization, user, at) => write((db) => members.addMember(db, organization, user, at)),
    removeMember: (organization, user, keep) =>
      write((db) => members.removeMember(db, organization, user, keep), TAKES_AWAY),
    addGrant: (grant) => write((db) => members.addGrant(db, grant)),
    grant: (organization, id) => read((db) => members.findGrant(db, organization, id)),
    removeGrant: (organization, id, keep) => write((db) => members.removeGrant(db, organization, id, keep), TAKES_AWAY),
    roles: (organization) => read((db) => members.listRoles(db, organization)),
    saveRole: (organization, role, at, is, keep) =>
      write((db) => members.saveRole(db, organization, role, { at, is }, keep), TAKES_AWAY),
    removeRole: (organization, name) => write((db) => members.removeRole(db, organization, name)),
    standing: (user) => read((db) => findStanding(db, user)),

    addSession: (session, by) => write((db) => sessions.addSession(db, session, { ...by, pending: false })),
    addPendingSession: (session, by) => write((db) => sessions.addSession(db, session, { ...by, pending: true })),
    session: (hash, now, rule) => read((db) => sessions.findSession(db, hash, now, rule)),
    pendingSession: (hash, now) => read((db) => sessions.findPendingSession(db, hash, now)),
    async sessionSeen(hash, now) {
      // Most requests end here, and wait behind no writer.
      if (await read((db) => sessions.isSeenLately(db, hash, now))) return;
      await write((db) => sessions.sessionSeen(db, hash, now));
    },
    sessions: (user, now, rule) => read((db) => sessions.listSessions(db, user, now, rule)),
    endSession: (which) => write((db) => sessions.endSession(db, which), TAKES_AWAY),
    endSessions: (user, but) => write((db) => sessions.endSessions(db, user, but), TAKES_AWAY),
    endLinkOfOthers: (user, by) => write((db) => signIn.endLinkOfOthers(db, user, by), TAKES_AWAY),

    addToken: (token) => write((db) => tokens.addToken(db, token)),
    token: (hash, now) => read((db) => tokens.findToken(db, hash, now)),
    async tokenUsed(id, now, from) {
      if (await read((db) => tokens.isUsedLately(db, id, now))) return;
      await write((db) => tokens.tokenUsed(db, id, now, from));
    },
    tokenById: (id) => read((db) => tokens.findTokenById(db, id)),
    tokens: (of) => read((db) => tokens.listTokens(db, of)),
    revokeToken: (id) => write((db) => tokens.revokeToken(db, id), TAKES_AWAY),

    addLink: (link) => write((db) => signIn.addLink(db, link)),
    takeLink: (hash, now) => write((db) => signIn.takeLink(db, hash, now)),
    linkIdentity: (identity) => write((db) => signIn.linkIdentity(db, identity)),
    userOfIdentity: (issuer, subject) => read((db) => signIn.userOfIdentity(db, issuer, subject)),
    identities: (user) => read((db) => signIn.listIdentities(db, user)),
    unlinkIdentity: (user, issuer, subject) =>
      write((db) => signIn.unlinkIdentity(db, user, issuer, subject), TAKES_AWAY),
    beginAttempt: (keys, now) => write((db) => signIn.beginAttempt(db, keys, now)),
    attemptSucceeded: (keys) => write((db) => signIn.attemptSucceeded(db, keys)),
    forgetExpired: (now, rule) => write((db) => signIn.forgetExpired(db, now, rule)),
  };
}
