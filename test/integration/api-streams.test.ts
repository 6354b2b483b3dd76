import { expect, onTestFinished, test } from 'vitest';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { waitFor } from '../support/wait.ts';
import { openWebWorld } from '../support/web-world.ts';

test('one person may have a few streams open, and others theirs', async () => {
  const it = await openWebWorld({ streamsOfOne: 3 });
  onTestFinished(() => it.close());
  const people = peopleOf(it);
  const ann = await people.somebody('ann', ['admin']);
  const ben = await people.somebody('ben', ['viewer']);
  const open = (who: Somebody, signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${it.port}/api/v1/events`, {
      headers: { cookie: who.cookie ?? '' },
      ...(signal === undefined ? {} : { signal }),
    });
  const gone = new AbortController();
  onTestFinished(() => gone.abort());
  const first = new AbortController();
  for (const signal of [first.signal, gone.signal, gone.signal]) expect((await open(ben, signal)).status).toBe(200);
  const refused = await open(ben);
  expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'too-many-streams' }]);
  expect((await open(ann, gone.signal)).status).toBe(200);
  // One that ends makes room.
  first.abort();
  await waitFor(async () => (await open(ben, gone.signal)).status === 200, { what: 'room for another' });
});
