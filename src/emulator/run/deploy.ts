import { GoogleError } from '../core/google-error.ts';
import { isObject, textAt, type JsonObject } from '../json.ts';
import { problemOf } from './checks.ts';
import { condition, isReady, since, type Outcome } from './conditions.ts';
import type { Engine } from './engine.ts';
import { StartFailure } from './instance.ts';
import { parentName, placeOf, revisionName, shortName } from './names.ts';
import { servingContainer } from './revision-spec.ts';
import type { Pending } from './rows.ts';
import { asJson } from './rows.ts';
import type { Condition, Revision, Service } from './shapes.ts';
import { BY_REVISION } from './shapes.ts';
import { trafficStatuses } from './traffic.ts';

export const serviceAny = (service: Service): JsonObject => ({
  '@type': 'type.googleapis.com/google.cloud.run.v2.Service',
  ...asJson(service),
});

/** Starts the operation of a change that is stored already, and carries it out. The answer is the operation's row. */
export async function beginDeploy(engine: Engine, service: Service, revision: string | null): Promise<JsonObject> {
  const row = await engine.world.operations.start({
    api: 'run',
    name: `${parentName(placeOf(service.name))}/operations/{id}`,
    takes: 0,
    open: true,
    metadata: serviceAny(service),
  });
  const operation = textAt(row, 'name') ?? '';
  engine.tables.pending.set(operation, { target: service.name, operation, revision });
  // A planned fault: the operation fails, and nothing comes of the change.
  const planned = isObject(row['failure']) ? textAt(row['failure'], 'message') : undefined;
  carryOut(engine, { target: service.name, operation, revision }, planned);
  return row;
}

/** Also for what a former emulator left undone. */
export function carryOut(engine: Engine, pending: Pending, planned?: string): void {
  void engine.inTurn(pending.target, async () => {
    const outcome = planned === undefined ? null : { ok: false, message: planned };
    const end = await deploy(engine, pending, outcome);
    if (engine.stopping.signal.aborted) return; // whoever starts next goes on with it
    engine.tables.pending.delete(pending.operation);
    if (engine.world.operations.find(pending.operation)?.['done'] === false) {
      const service = engine.tables.services.get(pending.target);
      engine.world.operations.finish(pending.operation, end, service === undefined ? undefined : serviceAny(service));
    }
    await engine.world.state.flush();
  });
}

type End = { response: JsonObject } | { error: GoogleError };

async function deploy(engine: Engine, { target, revision }: Pending, planned: Outcome | null): Promise<End> {
  const fullName = revision === null ? null : revisionName(target, revision);
  const outcome = fullName === null ? (planned ?? { ok: true }) : await bringUp(engine, fullName, planned);
  const service = engine.tables.services.get(target);
  if (service === undefined)
    return { error: new GoogleError('ABORTED', `Service '${shortName(target)}' was deleted.`) };
  if (engine.stopping.signal.aborted) return { error: new GoogleError('ABORTED', 'The emulator is ending.') };
  if (fullName !== null && outcome.ok && isNewest(engine, service, fullName)) service.latestReadyRevision = fullName;
  const whole = settled(engine, service, outcome, fullName !== null);
  engine.tables.services.set(target, whole);
  engine.settle(whole);
  const failed = whole.terminalCondition;
  if (outcome.ok && failed?.state !== 'CONDITION_FAILED') return { response: serviceAny(whole) };
  const message = outcome.ok ? (failed?.message ?? '') : (outcome.message ?? '');
  return {
    error: new GoogleError(outcome.reason === 'CONTAINER_MISSING' ? 'NOT_FOUND' : 'FAILED_PRECONDITION', message),
  };
}

/** Starts the first instance of a revision, and writes down what came of it. */
async function bringUp(engine: Engine, name: string, planned: Outcome | null): Promise<Outcome> {
  const revision = engine.tables.revisions.get(name);
  if (revision === undefined) return { ok: false, message: `Revision '${shortName(name)}' was deleted.` };
  const outcome = planned ?? problemOf(engine.world, engine.images, revision, name) ?? (await start(engine, revision));
  if (engine.stopping.signal.aborted) return outcome;
  const now = engine.tables.revisions.get(name);
  if (now === undefined) return outcome;
  const at = engine.time();
  const ofContainer = outcome.ok || outcome.revisionReason !== undefined;
  const conditions: Condition[] = [
    condition('Ready', outcome, at),
    condition('ResourcesAvailable', ofContainer ? { ok: true } : outcome, at),
    condition('ContainerHealthy', outcome, at),
  ];
  engine.tables.revisions.set(name, {
    ...now,
    conditions,
    reconciling: false,
    observedGeneration: now.generation,
    updateTime: at,
    etag: engine.etag(name),
  });
  if (!outcome.ok) {
    engine.logs.system(revision, 'ERROR', outcome.message ?? '');
    engine.drop(name);
  }
  return outcome;
}

async function start(engine: Engine, revision: Revision): Promise<Outcome> {
  try {
    await engine.pool(revision).warm();
    return { ok: true };
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    const port = servingContainer(revision).ports?.[0]?.containerPort ?? 8080;
    const message = `The user-provided container failed to start and listen on the port defined by the PORT=${port} environment variable within the allocated timeout: ${error.message}. Logs for this revision might contain more information.`;
    return { ok: false, message, revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' };
  }
}

/** A slow older revision that comes up late must not take over from a newer one. */
function isNewest(engine: Engine, service: Service, revision: string): boolean {
  const order = (name: string | undefined) =>
    Number(name === undefined ? 0 : (engine.tables.revisions.get(name)?.labels?.[GENERATION] ?? 0));
  return order(revision) >= order(service.latestReadyRevision);
}

/** On each revision: of the service's generation that made it. */
export const GENERATION = 'serving.knative.dev/configurationGeneration';

/** The service after a deploy: conditions, and traffic as it flows from now on. */
function settled(engine: Engine, service: Service, outcome: Outcome, withRevision: boolean): Service {
  const at = engine.time();
  const newer = engine.tables.pending.list().filter(({ target }) => target === service.name).length > 1;
  const created = shortName(service.latestCreatedRevision ?? '');
  const latestReady = service.latestReadyRevision === undefined ? null : shortName(service.latestReadyRevision);
  const notReady = service.traffic
    .filter(({ type, revision }) => type === BY_REVISION && !isServing(engine, service, revision ?? ''))
    .map(({ revision }) => revision ?? '');
  // A failing deploy of traffic leaves it as it was: the former revision goes on serving.
  const flows = outcome.ok && notReady.length === 0;
  const statuses = flows
    ? trafficStatuses(service.traffic, latestReady, engine.hosts(service.name).hashed)
    : (service.trafficStatuses ?? []);
  const failedRevision: Outcome = {
    ...outcome,
    reason: outcome.reason ?? 'REVISION_FAILED',
    message: `Revision '${created}' is not ready and cannot serve traffic. ${outcome.message ?? ''}`,
  };
  delete failedRevision.revisionReason;
  const configurations: Outcome = outcome.ok
    ? { ok: isReady(engine.tables.revisions.get(service.latestCreatedRevision ?? '')?.conditions) }
    : withRevision
      ? failedRevision
      : { ok: true };
  const kept: Outcome = {
    ok: false,
    reason: 'REVISION_FAILED',
    message: `Revision '${created}' is not ready and cannot serve traffic.`,
  };
  const routes: Outcome = flows
    ? { ok: statuses.length > 0 }
    : notReady.length > 0
      ? {
          ok: false,
          reason: 'REVISION_FAILED',
          message: `Revision '${notReady.join("', '")}' is not ready and cannot serve traffic.`,
        }
      : { ok: statuses.length > 0 };
  const parts = [
    routes.ok ? routes : { ...kept, ...routes },
    configurations.ok ? configurations : { ...kept, ...configurations },
  ];
  const worst = outcome.ok ? parts.find(({ ok }) => !ok) : withRevision ? failedRevision : outcome;
  const terminal = condition('Ready', worst ?? { ok: true }, at);
  const [before] = [service.conditions ?? []];
  const name = service.name;
  return {
    ...service,
    trafficStatuses: statuses,
    terminalCondition:
      since([terminal], service.terminalCondition === undefined ? [] : [service.terminalCondition])[0] ?? terminal,
    conditions: since(
      [
        condition('RoutesReady', parts[0] ?? routes, at),
        condition('ConfigurationsReady', parts[1] ?? configurations, at),
      ],
      before,
    ),
    reconciling: newer,
    ...(newer ? {} : { observedGeneration: service.generation }),
    etag: engine.etag(name),
  };
}

const isServing = (engine: Engine, service: Service, revision: string): boolean =>
  isReady(engine.revisionOf(service.name, revision)?.conditions);
