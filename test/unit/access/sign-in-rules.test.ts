import { describe, expect, test } from 'vitest';
import { normalLogin, passwordFault } from '../../../src/domain/access/passwords.ts';
import { loginSchema } from '../../../src/domain/access/people.ts';
import { isOver, SESSION_RULE, sessionEnd } from '../../../src/domain/access/sessions.ts';
import {
  type Attempts,
  attempt,
  FORGET_AFTER_MS,
  LIMIT_OF_ADDRESS,
  LIMIT_OF_NAME,
} from '../../../src/domain/access/sign-in-limits.ts';

describe('tries to sign in', () => {
  test('wait twice as long each time once the free ones are used up, and never longer than the limit', () => {
    let known: Attempts | null = null;
    let now = 1_000_000;
    const waits: number[] = [];
    for (let i = 0; i < 15; i++) {
      let tried = attempt(known, LIMIT_OF_NAME, now);
      if (!tried.allowed) {
        waits.push(tried.waitMs);
        now += tried.waitMs;
        tried = attempt(known, LIMIT_OF_NAME, now);
      }
      if (!tried.allowed) throw new Error('still refused after the wait that it named');
      known = tried.next;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((seconds) => seconds * 1_000));
  });

  test('are forgotten after a while, and a clock that is set back neither forgets nor locks', () => {
    const many = { count: 60, lastAt: 5_000_000 };
    expect(attempt(many, LIMIT_OF_ADDRESS, 5_000_000 + FORGET_AFTER_MS)).toMatchObject({ next: { count: 1 } });
    expect(attempt(many, LIMIT_OF_ADDRESS, 1_000)).toEqual({ allowed: false, waitMs: LIMIT_OF_ADDRESS.longestMs });
    expect(LIMIT_OF_ADDRESS.longestMs).toBeLessThan(FORGET_AFTER_MS);
  });
});

test('a sign-in name is the same however it was written, and nothing in it is invisible', () => {
  for (const login of ['J\u030Cim', 'ANN@Example.com', '\u0130da', '\uFB01n', '\u212Aim', ' ann '])
    expect(normalLogin(normalLogin(login))).toBe(normalLogin(login));
  expect(loginSchema.parse('J\u030Cim')).toBe('\u01F0im');
  for (const hidden of ['\uFE0F', '\u034F', '\u3164', '\u115F', '\u200B', '\u00AD'])
    expect([hidden, loginSchema.safeParse(`ann${hidden}x`).success]).toEqual([hidden, false]);
});

test('a session ends when it was idle for too long, and at its absolute end however busy it is', () => {
  const session = { seenAt: 1_000, expiresAt: 1_000 + SESSION_RULE.absoluteMs };
  expect(sessionEnd(session, SESSION_RULE)).toBe(1_000 + SESSION_RULE.idleMs);
  expect(isOver(session, SESSION_RULE, 999 + SESSION_RULE.idleMs)).toBe(false);
  expect(isOver(session, SESSION_RULE, 1_000 + SESSION_RULE.idleMs)).toBe(true);
  const busy = { ...session, seenAt: session.expiresAt - 1 };
  expect(isOver(busy, SESSION_RULE, session.expiresAt)).toBe(true);
});

test('passwords that anybody would try first are named as such', () => {
  expect(passwordFault('correct horse battery', 'ann')).toBeNull();
  expect(passwordFault('🚢🚢🚢🚢🚢🚢ahoy !x', 'ann')).toBeNull();
  expect(passwordFault('short', 'ann')).toMatch('12');
  expect(passwordFault('aaaaaaaaaaaaaaaa', 'ann')).toMatch('repeats');
  expect(passwordFault('ann@example.com1', 'ann@example.com')).toMatch('sign-in name');
  expect(passwordFault('x1y2z3'.repeat(200), 'ann')).toMatch('more than');
  expect(normalLogin(' Ann@Example.COM ')).toBe('ann@example.com');
});
