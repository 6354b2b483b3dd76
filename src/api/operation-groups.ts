import type { OperationId } from './contract/paths.ts';
import { accountOperations } from './contract/accounts.ts';
import { auditOperations } from './contract/audit.ts';
import { changeOperations } from './contract/changes.ts';
import { comparisonOperations } from './contract/comparison.ts';
import { deployOperations } from './contract/deploys.ts';
import { doctorOperations } from './contract/doctor.ts';
import { entryOperations } from './contract/entry.ts';
import { logOperations } from './contract/logs.ts';
import { organizationOperations } from './contract/organizations.ts';
import { overviewOperations } from './contract/overview.ts';
import { peopleOperations } from './contract/people.ts';
import { releaseOperations } from './contract/releases.ts';
import { roleOperations } from './contract/roles.ts';
import { rolloutOperations } from './contract/rollouts.ts';
import { runOperations } from './contract/runs.ts';
import { scaleOperations } from './contract/scale.ts';
import { secretOperations } from './contract/secrets.ts';
import { seriesOperations } from './contract/series.ts';
import { serverOperations } from './contract/server.ts';
import { sessionOperations } from './contract/session.ts';
import { statusOperations } from './contract/status.ts';
import { tokenOperations } from './contract/tokens.ts';

interface OperationGroup {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly OperationId[];
}

const group = (name: string, description: string, ...of: Partial<Record<OperationId, unknown>>[]): OperationGroup => ({
  name,
  description,
  operations: of.flatMap((each) => Object.keys(each) as OperationId[]),
});

/** As the reference shows them: what one looks for most comes first. */
export const OPERATION_GROUPS: readonly OperationGroup[] = [
  group('Status', 'how everything is', statusOperations, overviewOperations, comparisonOperations, seriesOperations),
  group('Events', 'what changes, as it happens', changeOperations),
  group('Deploying', 'what an environment is to run', deployOperations),
  group('Rollouts', 'as they go, and steering them', rolloutOperations),
  group('Releases', 'what there is to go back to', releaseOperations),
  group('Services', 'how many, and whether they are open', scaleOperations, entryOperations),
  group('Runs', 'of services that run at certain times', runOperations),
  group('Logs', 'of instances, jobs and the edge', logOperations),
  group('Secrets', 'names and ages; values only go in', secretOperations),
  group('Organizations', 'who is apart from whom', organizationOperations),
  group('People', 'who may do what', peopleOperations, roleOperations),
  group('Tokens', 'by which programs ask', tokenOperations),
  group('Audit', 'who did what', auditOperations),
  group('Session', 'who one is, and how one signs in', sessionOperations, accountOperations),
  group('Server', 'the processes of evenkeel itself', serverOperations, doctorOperations),
];
