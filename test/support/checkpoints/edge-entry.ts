/** The edge, which can be told to die when it is given a new routing table (`of: 'table'`). */
import promises from 'node:fs/promises';
import { ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { reach } from './order.ts';

const { rename } = promises;
promises.rename = async (from, to) => {
  const isTable = String(to).endsWith('/table');
  if (isTable) reach('edge', 'before', 'table');
  await rename(from, to);
  if (isTable) reach('edge', 'between', 'table');
};
syncBuiltinESMExports();

const { end } = ServerResponse.prototype;
ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
  if (this.req.url === '/apply' && this.req.socket.remoteAddress === undefined) reach('edge', 'acknowledging', 'table');
  return Reflect.apply(end, this, args) as ServerResponse;
} as typeof end;

await import('../../../src/edge/main.ts');
