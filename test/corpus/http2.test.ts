import { FIELDS } from './streams/fields.ts';
import { FRAMES } from './streams/frames.ts';
import { PSEUDO } from './streams/pseudo.ts';
import { VALUES } from './streams/values.ts';
import { compareSides } from '../support/corpus/compare-sides.ts';
import { sendStreams } from '../support/corpus/stream-exchange.ts';

/** In HTTP/2 a field may hold any byte; behind the edge the same bytes end lines and requests. */
const CASES = [...FIELDS, ...VALUES, ...PSEUDO, ...FRAMES];
const SENT = CASES.map(({ send }) => send);

compareSides('in HTTP/2', CASES, {
  send: ({ tlsPort, recorder }) => sendStreams(tlsPort, SENT, recorder),
  // A goodbye is lost when the connection ends while the client still sends.
  answers: (each, heard) => each.answers.filter((answer) => !answer.startsWith('goaway') || heard.includes(answer)),
});
