import type { MaintenanceSwitch } from '../../domain/project/entry.ts';
import { maintenanceOf, NO_ENTRY, switchMaintenance } from '../../domain/project/entry.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { Engine } from '../engine.ts';
import { untilEntryHolds } from './entry.ts';
import { inTurn } from './in-turn.ts';

export interface MaintenanceInput {
  project: string;
  environment: string;
  on: boolean;
  /** Null: all. */
  services: string[] | null;
  by: string;
}

/** Services of an environment that are closed for maintenance now, and who did it: null is the file. */
export interface Closed {
  services: string[];
  by: string | null;
  /** Wall time. */
  since: number | null;
}

/** Which services with routes are closed, as the record has it. */
export function closedServices({ config }: EnvironmentRecord): Closed {
  const { entry = NO_ENTRY, switched } = config.environment;
  const services = config.services
    .filter(({ name, routes }) => routes.length > 0 && maintenanceOf(entry, switched, name) !== null)
    .map(({ name }) => name);
  return { services, by: switched?.by ?? null, since: switched?.at ?? null };
}

/**
 * Closes services for maintenance, or opens them again, whatever is deployed meanwhile; answers when the edge does so.
 * Throws EvenkeelError `environment-unknown`, `service-unknown`, `maintenance-in-file` or `entry-not-applied`.
 */
export async function setMaintenance(engine: Engine, input: MaintenanceInput): Promise<Closed> {
  const scope = { project: input.project, environment: input.environment };
  const record = await inTurn(engine, scope, () => saveSwitch(engine, scope, input));
  engine.wake(scope);
  if (record.wanted === 'up') await untilEntryHolds(engine, scope);
  return closedServices(record);
}

async function saveSwitch(
  { deps }: Engine,
  scope: { project: string; environment: string },
  input: MaintenanceInput,
): Promise<EnvironmentRecord> {
  const record = await deps.store.environment(scope.project, scope.environment);
  if (record === null)
    throw new EvenkeelError({
      code: 'environment-unknown',
      what: `nothing of ${scope.project} was ever started in ${scope.environment}`,
      next: 'evenkeel up',
    });
  const routed = record.config.services.filter(({ routes }) => routes.length > 0).map(({ name }) => name);
  const unknown = (input.services ?? []).filter((name) => !routed.includes(name));
  if (unknown.length > 0)
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `no service ${unknown.join(', ')} has routes in ${scope.environment}`,
      next: routed.length === 0 ? 'nothing has routes there' : `one of: ${routed.join(', ')}`,
    });
  const { switched: before, ...environment } = record.config.environment;
  const now = switchMaintenance(before, { ...input, at: deps.clock.now() }, routed);
  const next = {
    ...record,
    config: { ...record.config, environment: { ...environment, ...(now === undefined ? {} : { switched: now }) } },
  };
  refuseOfTheFile(next, input, now);
  await deps.store.saveEnvironment(next, { keepListen: true });
  return next;
}

/** What the file closes is not opened by a command: the next deploy would close it again behind everybody's back. */
function refuseOfTheFile(
  { config }: EnvironmentRecord,
  { on, services }: MaintenanceInput,
  switched: MaintenanceSwitch | undefined,
): void {
  if (on) return;
  const { entry = NO_ENTRY, name } = config.environment;
  const asked = services ?? config.services.map((each) => each.name);
  const still = asked.filter((service) => maintenanceOf(entry, switched, service) !== null);
  if (still.length === 0) return;
  throw new EvenkeelError({
    code: 'maintenance-in-file',
    what: `${still.join(', ')} ${still.length === 1 ? 'is' : 'are'} closed by the file itself`,
    where: `maintenance of environment ${name} in evenkeel.yaml`,
    why: 'it says `on: true` there',
    next: 'change it, then `evenkeel up`',
  });
}
