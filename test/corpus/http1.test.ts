import { CHUNKS } from './cases/chunks.ts';
import { CONNECTIONS } from './cases/connections.ts';
import { HEADS } from './cases/heads.ts';
import { LENGTHS } from './cases/lengths.ts';
import { TARGETS } from './cases/targets.ts';
import { compareSides } from '../support/corpus/compare-sides.ts';
import { sendAll } from '../support/corpus/exchange.ts';

/** Some bytes mean different things to different servers. Whoever stands in front must not let them through. */
const CASES = [...LENGTHS, ...CHUNKS, ...HEADS, ...TARGETS, ...CONNECTIONS];

compareSides('in HTTP/1.1', CASES, {
  send: ({ port, recorder }) => sendAll(port, CASES, recorder),
  answers: (each) => each.answers,
});
