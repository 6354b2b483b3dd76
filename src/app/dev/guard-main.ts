/**
 * Stays beside one `evenkeel dev`, and ends what that leaves behind: when it was killed, or its terminal closed. Its own
 * session keeps it out of both. Given: the mark of the run, and the grace in ms.
 */
import { parentLink } from '../../platform/child.ts';
import { endAll } from './processes.ts';

const [mark = '', grace = ''] = process.argv.slice(2);
const dev = parentLink<{ type: 'dismiss' }, { type: 'ready' }>();
const clear = (): void => {
  void endAll({ marks: [mark], sessions: new Set() }, Number(grace)).then(() => process.exit(0));
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
if (dev === null) clear();
else {
  dev.onDisconnect(clear);
  dev.onMessage(clear);
  dev.send({ type: 'ready' });
}
