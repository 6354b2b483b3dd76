/**
 * The controller, which can be told to die at a transition of a rollout (`of`: its new state) or at the request of a
 * person (`request rollback`). Nothing in the program knows of it: what SQLite is told is watched from outside.
 */
import { ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { reach } from './order.ts';

/** What the transaction under way writes, and what was written and may not have been told yet. */
let writing: string[] = [];
let acting: string[] = [];

const at = (moment: 'before' | 'between' | 'acknowledging', names: readonly string[]): void => {
  for (const name of names) reach('controller', moment, name);
};

const { prepare, exec } = DatabaseSync.prototype;

DatabaseSync.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const [, table, columns] = /^insert into "(journal|requests)" \(([^)]*)\)/.exec(sql) ?? [];
  if (table === undefined || columns === undefined) return statement;
  const names = columns.split(',').map((each) => each.trim().replaceAll('"', ''));
  const wanted = table === 'journal' ? 'to_state' : 'kind';
  const run = statement.run.bind(statement) as (...values: readonly unknown[]) => ReturnType<typeof statement.run>;
  statement.run = (...values: readonly unknown[]) => {
    for (const [index, value] of values.entries())
      if (names[index % names.length] === wanted)
        writing.push(table === 'journal' ? String(value) : `request ${String(value)}`);
    return run(...values);
  };
  return statement;
};

DatabaseSync.prototype.exec = function (sql) {
  if (sql === 'begin immediate') {
    at('acknowledging', acting);
    [writing, acting] = [[], []];
  }
  if (sql === 'commit') at('before', writing);
  exec.call(this, sql);
  if (sql !== 'commit' || writing.length === 0) return;
  at('between', writing);
  [writing, acting] = [[], writing];
};

const { end } = ServerResponse.prototype;
// A person's request has been written; the answer to it has not left.
ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
  if (this.req.method !== 'GET') {
    at('acknowledging', acting);
    acting = [];
  }
  return Reflect.apply(end, this, args) as ServerResponse;
} as typeof end;

await import('../../../src/app/controller-main.ts');
