import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The processes that can be told to die, see the entries beside this file. */
export type Part = 'controller' | 'edge' | 'keeper';

/**
 * Where, seen from the write that makes something durable:
 * - `before`: all is decided, and nothing of it is written.
 * - `between`: it is written, and nothing was done about it.
 * - `acknowledging`: it was done, and nobody has been told, neither a caller nor the store.
 */
export type Moment = 'before' | 'between' | 'acknowledging';
export const MOMENTS: readonly Moment[] = ['before', 'between', 'acknowledging'];

export interface Order {
  readonly part: Part;
  readonly moment: Moment;
  /** The name of the write: a state of the rollout, `request rollback`, `table`, `keeper.json`, `drain`. */
  readonly of: string;
  /** At the how manyth of these since the order was given; the first by default. */
  readonly nth?: number;
  /** It is only stopped (SIGSTOP), and whoever gave the order continues it after so many ms. */
  readonly freezeMs?: number;
}

export interface Death {
  readonly pid: number;
  /** Epoch ms. */
  readonly at: number;
}

/** The processes find their orders in this folder. */
export const FOLDER = 'EVENKEEL_TEST_CHECKPOINTS';

const orderFile = (folder: string): string => join(folder, 'order.json');
const deathFile = (folder: string): string => join(folder, 'death.json');

/** From now on the part dies (or stands still) when it gets there, once. */
export function give(folder: string, order: Order): void {
  rmSync(deathFile(folder), { force: true });
  const file = orderFile(folder);
  writeFileSync(`${file}.tmp`, JSON.stringify(order));
  renameSync(`${file}.tmp`, file);
}

/** Whoever has not died yet lives on. */
export function withdraw(folder: string): void {
  rmSync(orderFile(folder), { force: true });
}

/** Null as long as the order was not carried out. */
export function deathIn(folder: string): Death | null {
  const file = deathFile(folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Death) : null;
}

let met = 0;
let metFor = '';

/** Called in the process itself. Does not return when this is the place at which it is to die. */
export function reach(part: Part, moment: Moment, of: string): void {
  const folder = process.env[FOLDER];
  if (folder === undefined || !existsSync(orderFile(folder))) return;
  const text = readFileSync(orderFile(folder), 'utf8');
  const order = JSON.parse(text) as Order;
  if (order.part !== part || order.moment !== moment || order.of !== of) return;
  met = metFor === text ? met + 1 : 1;
  metFor = text;
  if (met < (order.nth ?? 1)) return;
  rmSync(orderFile(folder));
  const file = deathFile(folder);
  writeFileSync(`${file}.tmp`, JSON.stringify({ pid: process.pid, at: Date.now() } satisfies Death));
  renameSync(`${file}.tmp`, file);
  if (order.freezeMs !== undefined) {
    process.kill(process.pid, 'SIGSTOP');
    return;
  }
  process.kill(process.pid, 'SIGKILL');
  // The signal takes effect when the call returns to the kernel's scheduler; nothing of ours may run until then.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}
