import { expect, test } from 'vitest';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { freePort } from '../support/free-port.ts';
import { waitFor } from '../support/wait.ts';

test.each(['1', '2'])('an edge of %s that took long to come knows what was commanded meanwhile', async (workers) => {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_WORKERS: workers });
  const first = await edge.start();
  const [one, two] = [await upstream('one'), await upstream('two')];
  const [port, later] = [await freePort(), await freePort()];
  const serving = (to: { port: number }, at: number) =>
    service('api', at, [{ release: 'api@1', weight: 100, ports: [to.port] }]);
  await edge.set(1, serving(one, port));
  await edge.healthy(`api@1-${one.port}`);

  const sockets = Promise.withResolvers<void>();
  edge.notBefore = sockets.promise;
  const slow = edge.start();
  const told = () => edge.apply(1, [serving(one, port)]);
  await waitFor(async () => (await told()).refused?.reason === 'superseded', { what: 'it to have the table' });
  // Nobody serves any more, or somebody does again: the slow one cannot know.
  await edge.kill(first);
  edge.notBefore = Promise.resolve();
  const meanwhile = await edge.start();
  await edge.set(2, { ...serving(two, port), internalPort: later });
  await edge.healthy(`api@1-${two.port}`);
  sockets.resolve();
  const { pid } = await slow;
  await edge.kill(meanwhile);

  const state = await edge.state();
  expect([state.pid, state.services[0]?.fence]).toEqual([pid, 2]);
  // As often as it takes for each worker to be asked.
  for (let i = 0; i < 20; i++) for (const at of [port, later]) expect((await send({ port: at })).body).toBe('two');
});
