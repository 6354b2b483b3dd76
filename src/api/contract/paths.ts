/**
 * Every operation of the API, with its method and its path below `/api/v1`. No schemas here: clients need only this, and a
 * command has no time to load what it does not need.
 */
const environment = '/projects/:project/environments/:environment';
const service = `${environment}/services/:service`;
const organization = '/organizations/:organization';
const person = `${organization}/people/:user`;

export const paths = {
  getServer: 'GET /server',
  stopServer: 'POST /server/stop',
  restartEdge: 'POST /server/restart-edge',
  examineServer: 'GET /server/examination',

  getStatus: 'GET /status',
  getOverview: 'GET /overview',
  followChanges: 'GET /events',
  compareEnvironments: 'GET /projects/:project/comparison',

  deploy: `POST ${environment}/deploy`,
  checkMigrations: `POST ${environment}/check-migrations`,
  promoteReleases: `POST ${environment}/promotion`,
  rollback: `POST ${environment}/rollback`,
  restart: `POST ${environment}/restart`,
  down: `POST ${environment}/down`,
  setMaintenance: `PUT ${environment}/maintenance`,

  listRollouts: 'GET /rollouts',
  getRollout: 'GET /rollouts/:rollout',
  getStory: 'GET /rollouts/:rollout/story',
  followRollout: 'GET /rollouts/:rollout/events',
  steerRollout: 'POST /rollouts/:rollout/requests',
  answerApproval: 'POST /rollouts/:rollout/approvals',

  listReleases: `GET ${environment}/releases`,
  getRelease: `GET ${environment}/releases/:release`,
  getSeries: `GET ${service}/series`,
  readLogs: `GET ${environment}/logs`,

  listRuns: `GET ${environment}/runs`,
  getRun: `GET ${service}/runs/:dueAt`,
  startRun: `POST ${service}/runs`,
  cancelRun: `POST ${service}/cancel-run`,
  getScale: `GET ${service}/scale`,
  setScale: `PUT ${service}/scale`,

  listSecrets: `GET ${environment}/secrets`,
  setSecrets: `POST ${environment}/secrets`,
  removeSecret: `DELETE ${environment}/secrets/:name`,

  listOrganizations: 'GET /organizations',
  createOrganization: 'POST /organizations',
  renameOrganization: `PUT ${organization}`,
  removeOrganization: `DELETE ${organization}`,
  listProjectsOfOrganization: `GET ${organization}/projects`,
  moveProject: 'PUT /projects/:project/organization',

  listPeople: `GET ${organization}/people`,
  invitePerson: `POST ${organization}/people`,
  removePerson: `DELETE ${person}`,
  addGrant: `POST ${person}/grants`,
  removeGrant: `DELETE ${person}/grants/:grant`,
  makeSignInLink: `POST ${person}/link`,
  removeSecondFactorOf: `POST ${person}/second-factor-removal`,
  listUsers: 'GET /users',
  setRunsServer: 'PUT /users/:user/runs-server',
  setDisabled: 'PUT /users/:user/disabled',
  removeUser: 'DELETE /users/:user',

  listRoles: `GET ${organization}/roles`,
  saveRole: `PUT ${organization}/roles/:role`,
  removeRole: `DELETE ${organization}/roles/:role`,

  listTokens: 'GET /tokens',
  createToken: 'POST /tokens',
  revokeToken: 'DELETE /tokens/:token',
  listOrganizationTokens: `GET ${organization}/tokens`,

  listAudit: 'GET /audit',
  verifyAudit: 'GET /audit/verification',
  exportAudit: 'GET /audit/export',

  getSession: 'GET /session',
  signIn: 'POST /session',
  giveCode: 'POST /session/code',
  openLink: 'POST /session/link',
  signOut: 'DELETE /session',
  setPassword: 'PUT /session/password',
  beginSecondFactor: 'POST /session/second-factor',
  confirmSecondFactor: 'PUT /session/second-factor',
  removeSecondFactor: 'POST /session/second-factor/removal',
  listSessions: 'GET /sessions',
  endSession: 'DELETE /sessions/:session',
  listAccounts: 'GET /accounts',
  unlinkAccount: 'DELETE /accounts',
  createSignInLink: 'POST /sign-in-links',
} as const satisfies Record<string, `${Method} /${string}`>;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export type OperationId = keyof typeof paths;

/** What changes something: it is audited, and carried out once for each key. */
export type ChangingId = {
  [Id in OperationId]: (typeof paths)[Id] extends `GET ${string}` ? never : Id;
}[OperationId];

export const isChanging = (id: OperationId): id is ChangingId => !paths[id].startsWith('GET ');

export const BASE = '/api/v1';

export interface Route {
  readonly method: Method;
  /** With `:name` for what the input brings. */
  readonly path: string;
  readonly names: readonly string[];
}

export function routeOf(id: OperationId): Route {
  const [method = '', path = ''] = paths[id].split(' ');
  return {
    method: method as Method,
    path: `${BASE}${path}`,
    names: [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? ''),
  };
}

/** Whether what is left of an input travels in the query, and not in a body. */
export const inQuery = (method: Method): boolean => method === 'GET' || method === 'DELETE';

/**
 * Changing operations that may be asked again when nobody knows whether they were heard: twice is as good as once. What
 * only looks always may.
 */
const REPEATABLE: ReadonlySet<OperationId> = new Set<OperationId>([
  'restartEdge',
  'checkMigrations',
  'down',
  'setMaintenance',
  // Who is back already is not taken back further.
  'rollback',
  'steerRollout',
  'setScale',
  'renameOrganization',
  'addGrant',
  'setRunsServer',
  'setDisabled',
  'saveRole',
]);

export const isRepeatable = (id: OperationId): boolean => !isChanging(id) || REPEATABLE.has(id);
