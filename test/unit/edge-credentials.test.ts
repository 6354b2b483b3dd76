import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { clientKey } from '../../src/domain/traffic/address.ts';
import { Credentials } from '../../src/edge/policy/credentials.ts';
import type { Proof } from '../../src/edge/policy/credentials.ts';
import { RateLimiter } from '../../src/domain/traffic/rate-limiter.ts';
import type { LimiterFor } from '../../src/edge/policy/limits.ts';
import { quickHash } from '../support/edge-policy.ts';

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** As a worker has it that must ask its lead; `free`: guesses that this client has left. */
function asking(): { limiterFor: LimiterFor; taken: () => number; free: () => number } {
  let limiter: RateLimiter | null = null;
  let taken = 0;
  return {
    limiterFor: (_, rate) => {
      const mine = new RateLimiter(rate);
      limiter = mine;
      return {
        take: async (client, now) => {
          taken++;
          await turn();
          return mine.take(client, now);
        },
        giveBack: (client) => mine.giveBack(client),
      };
    },
    taken: () => taken,
    free: () => {
      let left = 0;
      while (limiter?.take(clientKey('127.0.0.1'), 0) === 0) left++;
      return left;
    },
  };
}

const kinds = (proofs: readonly Proof[]): string[] => [...new Set(proofs.map(({ kind }) => kind))];

test('a right password uses up no guesses of its client, however many requests bring it at once', async () => {
  const hash = await quickHash('right');
  const lead = asking();
  const credentials = new Credentials(lead.limiterFor);
  const auth = { users: [{ name: 'ada', hash }], realm: 'r', passOn: false };
  const prove = (client: string): Promise<Proof> => credentials.prove(auth, basic('ada', 'right'), client, 0);
  const all = await Promise.all(Array.from({ length: 30 }, () => prove('127.0.0.1')));
  expect(kinds(all)).toEqual(['proven']);
  expect(lead.taken()).toBe(1);
  expect(lead.free()).toBe(20);
});

test('nor do two clients that bring the same one, of whom one is checked', async () => {
  const hash = await quickHash('right');
  const lead = asking();
  const credentials = new Credentials(lead.limiterFor);
  const auth = { users: [{ name: 'ada', hash }], realm: 'r', passOn: false };
  const clients = ['10.0.0.1', '127.0.0.1'];
  const all = await Promise.all(clients.map((client) => credentials.prove(auth, basic('ada', 'right'), client, 0)));
  expect(kinds(all)).toEqual(['proven']);
  expect(lead.free()).toBe(20);
});

test('a guess counts once when it is checked, and not when nobody had the time to', async () => {
  const hash = await quickHash('right');
  const users = Array.from({ length: 100 }, (_, i) => ({ name: `user${i}`, hash }));
  const lead = asking();
  const credentials = new Credentials(lead.limiterFor);
  const auth = { users, realm: 'r', passOn: false };
  const guess = (name: string, client: string): Promise<Proof> =>
    credentials.prove(auth, basic(name, 'wrong'), client, 0);
  // Two are checked and 64 wait; this client's come after those of many others.
  const others = users.slice(0, 66).map(({ name }, i) => guess(name, `10.0.0.${i}`));
  const mine = users.slice(66, 76).map(({ name }) => guess(name, '127.0.0.1'));
  expect(kinds(await Promise.all(mine))).toEqual(['busy']);
  expect(kinds(await Promise.all(others))).toEqual(['refused']);
  expect(kinds(await Promise.all([guess('user1', '127.0.0.1'), guess('user1', '127.0.0.1')]))).toEqual(['refused']);
  expect(lead.free()).toBe(19);
});
