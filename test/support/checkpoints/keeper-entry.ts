/**
 * The keeper, which can be told to die when it writes down who runs (`of: 'keeper.json'`) and when it tells an edge to
 * listen (`listen-all`) or to leave (`drain`).
 */
import { ChildProcess } from 'node:child_process';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { reach } from './order.ts';

const { rename } = promises;
promises.rename = async (from, to) => {
  const name = String(to).endsWith('/keeper.json') ? 'keeper.json' : null;
  if (name !== null) reach('keeper', 'before', name);
  await rename(from, to);
  if (name !== null) reach('keeper', 'between', name);
};
syncBuiltinESMExports();

const { spawn } = ChildProcess.prototype as unknown as { spawn: (...args: unknown[]) => unknown };
// `send` is a property of each child, made with its channel.
Object.assign(ChildProcess.prototype, {
  spawn(this: ChildProcess, ...args: unknown[]): unknown {
    const result = Reflect.apply(spawn, this, args);
    const send = this.send as ((...args: unknown[]) => boolean) | undefined;
    if (send === undefined) return result;
    const watched = (...said: unknown[]): boolean => {
      const { type = '' } = Object(said[0]) as { type?: string };
      reach('keeper', 'before', type);
      const sent = Reflect.apply(send, this, said);
      reach('keeper', 'between', type);
      return sent;
    };
    return Object.assign(this, { send: watched }) && result;
  },
});

await import('../../../src/keeper/main.ts');
