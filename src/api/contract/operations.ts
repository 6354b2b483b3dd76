import { accountOperations } from './accounts.ts';
import { auditOperations } from './audit.ts';
import { changeOperations } from './changes.ts';
import { comparisonOperations } from './comparison.ts';
import { deployOperations } from './deploys.ts';
import { doctorOperations } from './doctor.ts';
import { entryOperations } from './entry.ts';
import { logOperations } from './logs.ts';
import type { Operation, StreamOperation } from './operation.ts';
import { organizationOperations } from './organizations.ts';
import { overviewOperations } from './overview.ts';
import type { OperationId } from './paths.ts';
import { peopleOperations } from './people.ts';
import { releaseOperations } from './releases.ts';
import { roleOperations } from './roles.ts';
import { rolloutOperations } from './rollouts.ts';
import { runOperations } from './runs.ts';
import { scaleOperations } from './scale.ts';
import { secretOperations } from './secrets.ts';
import { serverOperations } from './server.ts';
import { seriesOperations } from './series.ts';
import { sessionOperations } from './session.ts';
import { statusOperations } from './status.ts';
import { tokenOperations } from './tokens.ts';

/** The whole API: what the server checks and clients are typed by. */
export const operations = {
  ...serverOperations,
  ...doctorOperations,
  ...statusOperations,
  ...overviewOperations,
  ...seriesOperations,
  ...comparisonOperations,
  ...changeOperations,
  ...deployOperations,
  ...rolloutOperations,
  ...releaseOperations,
  ...logOperations,
  ...runOperations,
  ...scaleOperations,
  ...entryOperations,
  ...secretOperations,
  ...organizationOperations,
  ...peopleOperations,
  ...roleOperations,
  ...tokenOperations,
  ...auditOperations,
  ...sessionOperations,
  ...accountOperations,
} satisfies Record<OperationId, Operation | StreamOperation>;

export type Operations = typeof operations;
