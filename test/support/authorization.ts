import type { Call } from '../../src/api/call.ts';
import type { Handlers } from '../../src/api/call.ts';
import { type OperationId, paths } from '../../src/api/contract/paths.ts';

/** Who is let in to each operation that needs a permission, as the documentation tells it; by their roles there. */
const see = ['viewer', 'operator', 'approver', 'admin', 'reading token'];
const logs = ['viewer', 'operator', 'approver', 'admin', 'log reader'];
const people = ['viewer', 'operator', 'approver', 'admin'];
const ship = ['operator', 'admin'];
const manage = ['admin'];
const run = ['who runs the server'];

export const LET_IN = {
  getServer: run,
  stopServer: run,
  restartEdge: run,
  examineServer: run,
  verifyAudit: run,
  createOrganization: run,
  removeOrganization: run,
  moveProject: run,
  listUsers: run,
  setRunsServer: run,
  setDisabled: run,
  removeUser: run,
  createSignInLink: run,

  getSeries: see,
  getRollout: see,
  getStory: see,
  followRollout: see,
  getRelease: see,
  listReleases: see,
  listRuns: see,
  getRun: see,
  getScale: see,
  readLogs: logs,

  deploy: ship,
  promoteReleases: ship,
  checkMigrations: ship,
  rollback: ship,
  steerRollout: ship,
  restart: ship,
  down: ship,
  startRun: ship,
  cancelRun: ship,
  setScale: ship,
  setMaintenance: ship,
  listSecrets: ship,
  setSecrets: ship,
  removeSecret: ship,
  answerApproval: ['approver', 'admin'],

  renameOrganization: manage,
  invitePerson: manage,
  removePerson: manage,
  addGrant: manage,
  removeGrant: manage,
  makeSignInLink: manage,
  removeSecondFactorOf: manage,
  saveRole: manage,
  removeRole: manage,
  listOrganizationTokens: manage,
  listProjectsOfOrganization: people,
  listPeople: people,
  listRoles: people,
} satisfies Partial<Record<OperationId, readonly string[]>>;

/** What looks itself at what it shows to whom, or is about oneself: tested each by its own tests. */
export const LOOKS_ITSELF: readonly OperationId[] = [
  'getStatus',
  'getOverview',
  'compareEnvironments',
  'followChanges',
  'listRollouts',
  'listAudit',
  'exportAudit',
  'listOrganizations',
  'listTokens',
  'createToken',
  'revokeToken',
  'getSession',
  'signIn',
  'giveCode',
  'openLink',
  'signOut',
  'setPassword',
  'beginSecondFactor',
  'confirmSecondFactor',
  'removeSecondFactor',
  'listSessions',
  'endSession',
  'listAccounts',
  'unlinkAccount',
];

export interface Place {
  organization: string;
  project: string;
  environment: string;
  rollout: string;
}

/** Something that can be read, of each. */
export function inputOf(id: keyof typeof LET_IN, place: Place): { path: string; body: object } {
  const { organization, project, environment, rollout } = place;
  const names: Record<string, string> = {
    organization,
    project,
    environment,
    rollout,
    service: 'api',
    release: 'api@1',
    dueAt: '1',
    name: 'KEY',
    user: 'us_1',
    grant: 'gr_1',
    role: 'some-role',
  };
  const bodies: Partial<Record<keyof typeof LET_IN, object>> = {
    stopServer: { instances: false },
    deploy: { definition: {} },
    promoteReleases: { from: 'staging' },
    checkMigrations: { definition: {} },
    restart: { services: ['api'] },
    setMaintenance: { on: false },
    setScale: { bounds: null },
    setSecrets: { secrets: {} },
    steerRollout: { kind: 'pause' },
    answerApproval: { kind: 'approve' },
    createOrganization: { name: 'another one' },
    renameOrganization: { name: 'another one' },
    moveProject: { organization },
    setRunsServer: { runsServer: false },
    setDisabled: { disabled: false },
    invitePerson: { login: 'zoe' },
    addGrant: { role: 'viewer' },
    saveRole: { permissions: ['logs:read'] },
  };
  const query = id === 'getSeries' ? '?from=0&to=60000' : '';
  const [method = '', path = ''] = paths[id].split(' ');
  return {
    path: `${method} ${path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(names[name] ?? 'x'))}${query}`,
    body: bodies[id] ?? {},
  };
}

async function* nothing(): AsyncGenerator<never> {}

/** Handlers that do nothing: whoever reaches one was let in. */
export const lettingIn = (): Handlers =>
  Object.fromEntries(
    Object.keys(paths).map((id) => [
      id,
      async (_input: unknown, _call: Call) =>
        ['followRollout', 'readLogs', 'followChanges'].includes(id) ? nothing() : { letIn: id },
    ]),
  ) as unknown as Handlers;
