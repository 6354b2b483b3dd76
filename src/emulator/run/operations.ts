import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Call } from '../core/api.ts';
import { render } from '../core/operations.ts';
import { page } from '../core/pages.ts';
import type { World } from '../core/world.ts';
import { made, textAt, type JsonObject } from '../json.ts';
import { sizes } from './services-v2.ts';
import { seconds } from './validate.ts';

/** Of `wait`, ms, when the caller names none, and at most. */
const USUAL_WAIT = 10_000;
const MOST_WAIT = 60_000;
const LOOK_EVERY = 20;

const ROOT = 'run.projects.locations.operations';

/** Operations of Cloud Run; v1 and v2 share them. */
export const operationHandlers: Api['handlers'] = {
  [`${ROOT}.get`]: (call, world) => render(world.operations.get(call.at('name'))),
  [`${ROOT}.list`]: (call, world) => {
    const rows = world.operations.list(`${call.at('name')}/operations/`);
    const { entries, nextPageToken } = page(rows, (row) => textAt(row, 'name') ?? '', sizes(call));
    return made({ operations: entries.map(render), nextPageToken });
  },
  [`${ROOT}.delete`]: (call, world) => {
    world.operations.get(call.at('name'));
    world.operations.delete(call.at('name'));
    return {};
  },
  [`${ROOT}.wait`]: wait,
};

/** Answers when the operation is done, or with what it is when the time is over. */
async function wait(call: Call, world: World): Promise<JsonObject> {
  const asked = seconds(textAt(call.body, 'timeout') ?? '');
  const deadline = world.now() + Math.min(Number.isNaN(asked) ? USUAL_WAIT : asked * 1000, MOST_WAIT);
  for (;;) {
    await world.operations.settle();
    const row = world.operations.get(call.at('name'));
    if (row['done'] === true || world.now() >= deadline) return render(row);
    await sleep(LOOK_EVERY);
  }
}
