import type { JsonObject } from '../json.ts';
import type { State, Table } from '../state/state.ts';
import type { Execution, Job, Revision, Service, Task } from './shapes.ts';

/** A table whose rows have one shape. Objects go in and come out as copies. */
export class Rows<T extends object> {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  get(name: string): T | undefined {
    return this.#table.get(name) as T | undefined;
  }

  has(name: string): boolean {
    return this.#table.has(name);
  }

  set(name: string, row: T): void {
    // Through JSON, as a reply is: a field that is undefined is none.
    this.#table.set(name, JSON.parse(JSON.stringify(row)) as JsonObject);
  }

  delete(name: string): void {
    this.#table.delete(name);
  }

  list(prefix = ''): T[] {
    return this.#table.list(prefix) as T[];
  }
}

/** A deploy or an execution under way; whoever starts after a crash goes on with it. */
export interface Pending {
  /** Whole name of the service or execution. */
  target: string;
  operation: string;
  /** The revision that is to become ready; null when only traffic or settings changed. */
  revision: string | null;
}

export interface Tables {
  services: Rows<Service>;
  revisions: Rows<Revision>;
  jobs: Rows<Job>;
  executions: Rows<Execution>;
  tasks: Rows<Task>;
  pending: Rows<Pending>;
}

export const tablesOf = (state: State): Tables => ({
  services: new Rows(state.table('run.services')),
  revisions: new Rows(state.table('run.revisions')),
  jobs: new Rows(state.table('run.jobs')),
  executions: new Rows(state.table('run.executions')),
  tasks: new Rows(state.table('run.tasks')),
  pending: new Rows(state.table('run.pending')),
});

/** As a reply. */
export const asJson = (row: object): JsonObject => JSON.parse(JSON.stringify(row)) as JsonObject;
