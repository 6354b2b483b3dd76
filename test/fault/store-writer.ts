/**
 * Writes to a store without end, and says each thing that the store has acknowledged, one line each, until killed.
 * Arguments: the file, and a name for this writer's rollout and releases.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { aJudgedRollout, anEntry, aRelease, aRequest } from '../conformance/store-fixtures.ts';

const [file = '', name = ''] = process.argv.slice(2);
// At once, past every buffer: what was acknowledged must be known though the next moment is the last.
const say = (line: string) => writeSync(1, `${line}\n`);

const store = await openSqliteStore({ file });
let rollout = await store.rollout(name);
if (rollout === null) {
  const mine = aJudgedRollout(name);
  mine.services = mine.services.map((service) => ({ ...service, service: name }));
  const result = await store.createRollout(mine, anEntry());
  rollout = result.created ? result.rollout : result.active;
}
if (rollout === null) throw new Error('what serves changed, although nobody else writes');
for (;;) {
  const step = rollout.version + 1;
  const entry = anEntry({ from: 'building', to: 'canary', at: step, reason: `version ${step}` });
  const serving = [{ service: name, current: `${name}@${step}`, former: null }];
  const result = await store.saveRollout({ ...rollout, step }, rollout.fence, [entry], serving);
  if (!result.saved) throw new Error(`not saved: ${result.reason}`);
  rollout = result.rollout;
  say(`version ${rollout.version}`);
  const { shared = 0 } = await store.reserveReleaseNumbers('chat', ['shared']);
  await store.addReleases([aRelease('shared', shared, { createdBy: name })]);
  say(`release shared@${shared}`);
  const { seq } = await store.addRequest(aRequest(name));
  say(`request ${seq}`);
}
