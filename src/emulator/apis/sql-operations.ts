import type { Call } from '../core/api.ts';
import { GoogleError } from '../core/google-error.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, textAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Seconds that changes take on the real thing, roughly. */
const TAKES = {
  CREATE: 300,
  UPDATE: 45,
  RESTART: 40,
  DELETE: 60,
  BACKUP_VOLUME: 60,
  DELETE_BACKUP: 5,
  CREATE_DATABASE: 4,
  UPDATE_DATABASE: 3,
  DELETE_DATABASE: 4,
  CREATE_USER: 3,
  UPDATE_USER: 3,
  DELETE_USER: 3,
} as const;

export type OperationType = keyof typeof TAKES;

/**
 * Starts an operation of an instance; its effect is `sqladmin.<type>`. An instance does one thing at a time: 409 while
 * another is under way.
 */
export async function startSql(
  call: Call,
  world: World,
  base: string,
  { type, instance, args }: { type: OperationType; instance: string; args: JsonObject },
): Promise<JsonObject> {
  refuseBusy(call, world, instance);
  const project = call.project?.id ?? '';
  const row = await world.operations.start({
    api: 'sqladmin',
    name: `sql/${project}/{id}`,
    takes: TAKES[type],
    effect: `sqladmin.${type}`,
    args: { ...args, project, instance },
    extra: { type, instance, project, user: call.caller.email },
  });
  return renderSql(row, base);
}

export function refuseBusy(call: Call, world: World, instance: string): void {
  const prefix = `sql/${call.project?.id ?? ''}/`;
  const busy = world.operations
    .underWay()
    .some((row) => textAt(row, 'name')?.startsWith(prefix) === true && textAt(row, 'extra.instance') === instance);
  if (busy)
    throw new GoogleError('ABORTED', 'Operation failed because another operation was already in progress.', {
      reason: 'operationInProgress',
    });
}

/** A row as this API's own kind of operation. */
export function renderSql(row: JsonObject, base: string): JsonObject {
  const project = textAt(row, 'extra.project') ?? '';
  const instance = textAt(row, 'extra.instance') ?? '';
  const started = timestamp(Number(row['startedAt']));
  const done = row['done'] === true;
  const message = textAt(row, 'error.message');
  return made({
    kind: 'sql#operation',
    name: row['id'],
    operationType: textAt(row, 'extra.type'),
    status: done ? 'DONE' : 'RUNNING',
    insertTime: started,
    startTime: started,
    endTime: done ? timestamp(Number(row['endedAt'])) : undefined,
    user: textAt(row, 'extra.user'),
    targetId: instance,
    targetProject: project,
    targetLink: `${base}/projects/${project}/instances/${instance}`,
    selfLink: `${base}/projects/${project}/operations/${written(row['id'])}`,
    error:
      message === undefined
        ? undefined
        : {
            kind: 'sql#operationErrors',
            errors: [{ kind: 'sql#operationError', code: 'INTERNAL_ERROR', message }],
          },
  });
}
