import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Challenge, ChallengeReply } from '../../src/domain/traffic/challenges.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { at, callers } from '../support/edge-workers.ts';
import { freePort } from '../support/free-port.ts';

const PREFIX = '/.well-known/acme-challenge/';
/** Fewer than may be known at once. */
const KEPT = 100;

test('a follower that comes knows every challenge, whenever it was told', async () => {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_WORKERS: '2' });
  const { pid } = await edge.start();
  const api = await upstream('api');
  const port = await freePort();
  await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
  await edge.healthy(`api@1-${api.port}`);
  const tokens: string[] = [];
  const tell = async (): Promise<void> => {
    const token = `t${tokens.length}`;
    tokens.push(token);
    const challenge: Challenge = {
      type: 'http-01',
      host: 'a.example',
      token,
      until: Date.now() + 3_600_000,
      answer: `${token}.thumbprint`,
    };
    const remove = tokens.slice(-2 * KEPT, -KEPT);
    const told = { add: [challenge], remove };
    const to = { socketPath: edge.socket, method: 'POST', path: '/challenges' };
    const reply = JSON.parse((await send(to, JSON.stringify(told))).body) as ChallengeReply;
    expect(reply.refused).toBe(null);
  };
  const followers = async () => ((await edge.state()).workers ?? []).filter((worker) => worker !== pid);

  const [former = 0] = await followers();
  process.kill(former, 'SIGKILL');
  // Without a pause: whenever the new one comes to know what is answered, another follows.
  for (let now: number[] = []; now.length === 0 || now.includes(former); now = await followers()) {
    await tell();
    await sleep(20);
  }
  await tell();
  const [next = 0] = await followers();
  const clients = await callers(edge, port);
  for (const worker of [pid, next])
    for (const token of tokens.slice(-KEPT)) {
      const { body } = await at(clients, worker).ask(`${PREFIX}${token}`, { host: 'a.example' });
      expect([worker, body]).toEqual([worker, `${token}.thumbprint`]);
    }
});
