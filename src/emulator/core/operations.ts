import { randomUUID } from 'node:crypto';
import { isObject, made, objectAt, textAt } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { State, Table } from '../state/state.ts';
import { GoogleError, notFound, statusBody } from './google-error.ts';

/** What an operation does when its time has come: gives its `response` (with `@type`), or throws a GoogleError. */
export type Effect = (args: JsonObject) => JsonObject | Promise<JsonObject>;

export interface NewOperation {
  /** Whose it is, where several APIs have such names: `run`, `artifactregistry`, … */
  api?: string;
  /**
   * The whole name, `projects/p/locations/l/operations/ID`; `{id}` in it is replaced. Clients ask for exactly this one.
   */
  name: string;
  /** Of Google's things, how long this takes, in seconds of the pretended cloud. 0: done in the very reply. */
  takes: number;
  metadata?: JsonObject;
  /** Id of an effect that some API registered, and what it is given; undefined: only `response` is answered. */
  effect?: string;
  args?: JsonObject;
  response?: JsonObject;
  /** Ends when `finish` says so, and not by time. */
  open?: boolean;
  /** Further fields that the API's own rendering needs (sqladmin's `operationType`, …). */
  extra?: JsonObject;
}

/** How many are kept after their end. */
const MOST_ENDED = 1000;

/** Long-running operations of all APIs. Their effects run when somebody talks to the emulator after they are due. */
export class Operations {
  private readonly state: State;
  private readonly table: Table;
  private readonly effects = new Map<string, Effect>();
  private readonly failures = new Map<string, (args: JsonObject) => void>();
  private readonly now: () => number;
  private readonly factor: number;
  /** Names of those that have not ended: there may be thousands that have. */
  private readonly pending = new Set<string>();
  private settling: Promise<void> = Promise.resolve();
  /** Set by a planned fault: the next operation that starts ends with this. */
  private failNext: GoogleError | null = null;

  /** `factor`: how many times faster than the real cloud's its time passes. */
  constructor(state: State, now: () => number, factor: number) {
    this.state = state;
    this.table = state.table('operations');
    this.now = now;
    this.factor = factor;
    for (const row of this.table.list()) if (row['done'] === false) this.pending.add(textAt(row, 'name') ?? '');
  }

  /** `failed`: what is left behind when a planned fault ends the operation instead. */
  register(id: string, effect: Effect, failed?: (args: JsonObject) => void): void {
    this.effects.set(id, effect);
    if (failed !== undefined) this.failures.set(id, failed);
  }

  failNextWith(error: GoogleError): void {
    this.failNext = error;
  }

  /** Starts one; the answer is its row, to be rendered by `render` or by the API itself. */
  async start(operation: NewOperation): Promise<JsonObject> {
    const id = randomUUID();
    const name = operation.name.replace('{id}', id);
    const now = this.now();
    const failure = this.failNext;
    this.failNext = null;
    const row = made({
      name,
      id,
      api: operation.api,
      done: false,
      startedAt: now,
      order: this.state.next(),
      dueAt: operation.open === true ? undefined : Math.floor(now + (operation.takes * 1000) / this.factor),
      metadata: operation.metadata,
      effect: operation.effect,
      args: operation.args ?? {},
      response: operation.response,
      extra: operation.extra,
      failure: failure === null ? undefined : statusBody(failure),
    });
    this.table.set(name, row);
    this.pending.add(name);
    this.forgetOld();
    if (operation.takes === 0 && operation.open !== true) await this.end(row);
    return this.get(name);
  }

  /** The row of an operation. */
  get(name: string): JsonObject {
    const row = this.table.get(name);
    if (row === undefined) throw notFound(`Operation ${name} was not found.`);
    return row;
  }

  find(name: string): JsonObject | undefined {
    return this.table.get(name);
  }

  list(prefix: string): JsonObject[] {
    return this.table.list(prefix);
  }

  /** Those that have not ended. */
  underWay(): JsonObject[] {
    return [...this.pending].map((name) => this.table.get(name) ?? {});
  }

  /** Changes the metadata of one under way (a build's progress, …). */
  note(name: string, metadata: JsonObject): void {
    this.table.set(name, { ...this.get(name), metadata });
  }

  /** Ends an operation that was started `open`. */
  finish(name: string, end: { response: JsonObject } | { error: GoogleError }, metadata?: JsonObject): void {
    const row = this.get(name);
    const result: Record<string, Json> = 'error' in end ? { error: statusBody(end.error) } : { response: end.response };
    this.pending.delete(name);
    this.table.set(name, {
      ...row,
      ...result,
      ...(metadata === undefined ? {} : { metadata }),
      done: true,
      endedAt: this.now(),
    });
  }

  delete(name: string): void {
    this.pending.delete(name);
    this.table.delete(name);
  }

  /** Lets everything happen that is due. Called before each request; ones at the same time wait for each other. */
  async settle(): Promise<void> {
    this.settling = this.settling.catch(() => undefined).then(() => this.endDue());
    return this.settling;
  }

  private async endDue(): Promise<void> {
    const now = this.now();
    const due = [...this.pending]
      .map((name) => this.table.get(name) ?? {})
      .filter((row) => typeof row['dueAt'] === 'number' && row['dueAt'] <= now)
      .toSorted((a, b) => Number(a['dueAt']) - Number(b['dueAt']) || Number(a['order']) - Number(b['order']));
    for (const row of due) await this.end(row);
  }

  /** Nobody asks for the oldest of very many. */
  private forgetOld(): void {
    if (this.table.size() - this.pending.size < MOST_ENDED) return;
    const ended = this.table.list().filter((row) => row['done'] === true);
    const oldest = ended.toSorted((a, b) => Number(a['order']) - Number(b['order'])).slice(0, MOST_ENDED / 2);
    for (const row of oldest) this.table.delete(textAt(row, 'name') ?? '');
  }

  private async end(row: JsonObject): Promise<void> {
    const name = textAt(row, 'name') ?? '';
    this.pending.delete(name);
    // What it was given may hold a password, and is of no use any more.
    const ended = { done: true, endedAt: this.now(), args: {} };
    if (isObject(row['failure'])) {
      this.failures.get(textAt(row, 'effect') ?? '')?.(objectAt(row, 'args'));
      this.table.set(name, { ...row, ...ended, error: row['failure'] });
      return;
    }
    try {
      const effect = this.effects.get(textAt(row, 'effect') ?? '');
      const response = effect === undefined ? objectAt(row, 'response') : await effect(objectAt(row, 'args'));
      this.table.set(name, { ...row, ...ended, response });
    } catch (error) {
      this.table.set(name, { ...row, ...ended, error: statusBody(refusal(error)) });
    }
  }
}

/** An effect that breaks is a bug of the emulator, which its operation tells. */
const refusal = (error: unknown): GoogleError =>
  error instanceof GoogleError
    ? error
    : new GoogleError(
        'INTERNAL',
        `The emulator failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
      );

/** A row as `google.longrunning.Operation`. */
export function render(row: JsonObject): JsonObject {
  const done = row['done'] === true;
  return made({
    name: row['name'],
    metadata: row['metadata'],
    done: done ? true : undefined,
    response: done && row['error'] === undefined ? row['response'] : undefined,
    error: done ? row['error'] : undefined,
  });
}
