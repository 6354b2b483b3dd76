import type { Call } from '../../../src/api/call.ts';

/** A call of somebody who may do what is said, for handlers that are asked without a server. */
export const callOfWhoMay = (may: Call['may']): Call => ({
  who: { kind: 'local', name: 'ann' },
  session: null,
  caller: { address: null, agent: null, cookie: null },
  organizationOf: () => null,
  keepSession: () => {},
  becomes: () => {},
  may,
  signal: new AbortController().signal,
  lastEventId: null,
  cut: () => {},
  afterReply: () => {},
});
