import type { IncomingMessage, ServerResponse } from 'node:http';
import { loadTable } from '../bigquery/export-table.ts';
import { jsonOf, readBody } from '../http/body.ts';
import { targetOf } from '../http/target.ts';
import type { Door } from './api.ts';
import { faultFrom } from './faults.ts';
import { errorBody, GoogleError } from './google-error.ts';
import { OWNER } from './identities.ts';
import type { World } from './world.ts';

/** Where the emulator itself is talked to; no path of Google's begins so. */
const ROOT = '/_emulator/';

/**
 * The emulator's own endpoint, with its token:
 *
 *     GET    /_emulator/calls    every call, counts by method, breaches of schemas
 *     DELETE /_emulator/calls    forgets them
 *     POST   /_emulator/faults   plans one fault (see `PlannedFault`), or a list of them
 *     DELETE /_emulator/faults   forgets them
 *     GET    /_emulator/state    everything there is
 *     POST   /_emulator/tables   rows of a billing export in BigQuery (see `loadTable`)
 */
export const controlDoor: Door = {
  opens: (_host, path) => path.startsWith(ROOT),
  handle: async (request, response, world) => {
    try {
      const answer = await act(request, world);
      reply(response, 200, answer);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      reply(response, error.http, errorBody(error, 'details'));
    }
  },
};

async function act(request: IncomingMessage, world: World): Promise<unknown> {
  const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || world.identities.callerOf(token) !== OWNER)
    throw new GoogleError('UNAUTHENTICATED', "The emulator's own endpoint wants its token.");
  switch (`${request.method ?? ''} ${targetOf(request).path.slice(ROOT.length)}`) {
    case 'GET calls':
      return world.calls.report();
    case 'DELETE calls':
      world.calls.clear();
      return {};
    case 'POST faults': {
      const body = jsonOf(await readBody(request));
      for (const fault of Array.isArray(body) ? body : [body]) world.faults.plan(faultFrom(fault));
      return {};
    }
    case 'DELETE faults':
      world.faults.clear();
      return {};
    case 'POST tables':
      loadTable(world, jsonOf(await readBody(request)));
      await world.state.flush();
      return {};
    case 'GET state':
      await world.operations.settle();
      return world.state.snapshot();
    default:
      throw new GoogleError('NOT_FOUND', 'The emulator answers at calls, faults, tables and state.');
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
