import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Mate } from '../../src/edge/crew/mate.ts';
import type { FollowerChild } from '../../src/edge/crew/mate.ts';
import type { FollowerToLead, LeadToFollower } from '../../src/edge/crew/messages.ts';
import type { Exit } from '../../src/platform/child.ts';
import { waitFor } from '../support/wait.ts';

/** A process that is there, and says what the test says. */
function standIn(reply: (message: LeadToFollower) => FollowerToLead | null) {
  const exited = Promise.withResolvers<Exit>();
  const said: LeadToFollower[] = [];
  const killed: string[] = [];
  let hear: (message: FollowerToLead) => void = () => undefined;
  const child: FollowerChild = {
    pid: 4_000_000,
    exited: exited.promise,
    send: (message) => {
      said.push(message);
      const answer = reply(message);
      if (answer !== null) queueMicrotask(() => hear(answer));
      return true;
    },
    onMessage: (listener) => {
      hear = (message) => listener(message, undefined);
    },
    onDisconnect: () => undefined,
    onPong: () => undefined,
    ping: () => true,
    kill: (signal) => killed.push(signal) > 0,
    release: () => undefined,
  };
  return { child, said, killed, end: () => exited.resolve({ code: null, signal: 'SIGKILL' }) };
}

const hooks = { sockets: () => [], waits: () => [], giveBack: () => undefined };

test('what a follower has answered is not kept for as long as it lives', async () => {
  const { child, said } = standIn((message) =>
    message.type === 'order' ? { type: 'done', n: message.n, answer: { pid: 7, services: [] } } : null,
  );
  const mate = new Mate(child, hooks);
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 50; i++) {
    const answer = await mate.order({ kind: 'state' }, 60_000);
    answers.push(new WeakRef(answer));
  }
  said.length = 0;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await waitFor(
    () => {
      collect();
      return answers.filter((answer) => answer.deref() !== undefined).length <= 1;
    },
    { what: 'answers to be forgotten' },
  );
});

test('whoever waits for one that ends is told so, then and afterwards', async () => {
  const { child, end, killed } = standIn(() => null);
  const mate = new Mate(child, hooks);
  const orders = [mate.order({ kind: 'accept' }, 60_000), mate.order({ kind: 'report' }, 60_000)];
  const settled = Promise.allSettled(orders);
  end();
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(mate.order({ kind: 'accept' }, 60_000)).rejects.toThrow('ended');
  expect(killed).toEqual([]);
});

test('one that does not do what it is told is killed, and one that only says nothing is not', async () => {
  const { child, end, killed } = standIn(() => null);
  const mate = new Mate(child, hooks);
  await expect(mate.order({ kind: 'report' }, 1)).rejects.toThrow('does not say');
  await expect(mate.order({ kind: 'state' }, 1)).rejects.toThrow('does not say');
  expect(killed).toEqual([]);
  const late = mate.order({ kind: 'accept' }, 1).catch(String);
  await waitFor(() => killed.length > 0, { what: 'it to be killed' });
  end();
  expect(await late).toContain('ended instead');
});

test('a port that is asked for is answered, also when it was given before', async () => {
  const socket = { port: 80, bind: '127.0.0.1', handle: {} };
  const { child, said } = standIn(() => null);
  let hear: (message: FollowerToLead) => void = () => undefined;
  child.onMessage = (listener) => {
    hear = (message) => listener(message, undefined);
  };
  const mate = new Mate(child, { ...hooks, sockets: () => [socket] });
  // Nothing is open to one that nobody waits for: it would keep others from having the port.
  expect(said).toEqual([]);
  mate.share();
  hear({ type: 'need', ports: [{ port: 80, bind: '127.0.0.1' }] });
  expect(said.map(({ type }) => type)).toEqual(['listen', 'listen-failed']);
});
