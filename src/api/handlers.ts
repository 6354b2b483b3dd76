import type { ApiDeps } from './api-deps.ts';
import type { Handlers } from './call.ts';
import { accountHandlers } from './routes/accounts.ts';
import { auditHandlers } from './routes/audit.ts';
import { comparisonHandlers } from './routes/comparison.ts';
import { deployHandlers } from './routes/deploys.ts';
import { doctorHandlers } from './routes/doctor.ts';
import { logHandlers } from './routes/logs.ts';
import { maintenanceHandlers } from './routes/maintenance.ts';
import { organizationHandlers } from './routes/organizations.ts';
import { overviewHandlers } from './routes/overview.ts';
import { peopleHandlers } from './routes/people.ts';
import { releaseHandlers } from './routes/releases.ts';
import { roleHandlers } from './routes/roles.ts';
import { rolloutHandlers } from './routes/rollouts.ts';
import { runHandlers } from './routes/runs.ts';
import { scaleHandlers } from './routes/scale.ts';
import { secretHandlers } from './routes/secrets.ts';
import { seriesHandlers } from './routes/series.ts';
import { serverHandlers } from './routes/server.ts';
import { sessionHandlers } from './routes/session.ts';
import { statusHandlers } from './routes/status.ts';
import { tokenHandlers } from './routes/tokens.ts';
import { userHandlers } from './routes/users.ts';

/** What answers each operation of the contract. */
export const handlersOf = (deps: ApiDeps): Handlers => ({
  ...serverHandlers(deps),
  ...doctorHandlers(deps),
  ...statusHandlers(deps),
  ...overviewHandlers(deps),
  ...seriesHandlers(deps),
  ...comparisonHandlers(deps),
  ...deployHandlers(deps),
  ...rolloutHandlers(deps),
  ...releaseHandlers(deps),
  ...logHandlers(deps),
  ...runHandlers(deps),
  ...scaleHandlers(deps),
  ...maintenanceHandlers(deps),
  ...secretHandlers(deps),
  ...organizationHandlers(deps),
  ...peopleHandlers(deps),
  ...userHandlers(deps),
  ...roleHandlers(deps),
  ...tokenHandlers(deps),
  ...auditHandlers(deps),
  ...sessionHandlers(deps),
  ...accountHandlers(deps),
});
