import { expect, test } from 'vitest';
import { z } from 'zod';
import { levelOf } from '../../src/domain/access/permissions.ts';
import type { Operation } from '../../src/api/contract/operation.ts';
import { operations } from '../../src/api/contract/operations.ts';

const all = Object.entries<Operation>(operations);

/** What an operation cannot be asked without. */
const needs = ({ input }: Operation, name: string): boolean =>
  input.shape[name] !== undefined && !input.shape[name].safeParse(undefined).success;

function about(operation: Operation): string {
  if (levelOf(operation.permission ?? 'server:read') === 'server') return 'server';
  if (needs(operation, 'organization')) return 'organization';
  if (needs(operation, 'rollout')) return 'environment';
  return needs(operation, 'project') && needs(operation, 'environment') ? 'environment' : 'server';
}

test('every permission is of the kind of thing that the operation names: none is asked for where it could not hold', () => {
  const wrong = all
    .filter(([, { perItem, permission }]) => permission !== null && perItem !== true)
    .map(([id, operation]) => [id, about(operation), levelOf(operation.permission ?? 'server:read')])
    .filter(([, on, level]) => on !== level);
  expect(wrong).toEqual([]);
});

test('whoever is nobody may only say who they are', () => {
  expect(all.filter(([, { open }]) => open === true).map(([id]) => id)).toEqual([
    'getSession',
    'signIn',
    'giveCode',
    'openLink',
    'signOut',
  ]);
});

test('what shows something once is named: its reply is kept nowhere, also for who asks again', () => {
  expect(all.filter(([, { shownOnce }]) => shownOnce === true).map(([id]) => id)).toEqual(
    expect.arrayContaining(['invitePerson', 'makeSignInLink', 'createToken', 'createSignInLink', 'beginSecondFactor']),
  );
  // Whatever else has a link, a token or the secret of an authenticator in its reply belongs there, too.
  const shows = all.filter(([, { reply }]) =>
    Object.keys((z.toJSONSchema(reply, { unrepresentable: 'any' }) as { properties?: object }).properties ?? {}).some(
      (name) => ['text', 'link', 'path', 'url', 'secret', 'uri', 'cookie'].includes(name),
    ),
  );
  expect(shows.map(([id]) => id)).toContain('createToken');
  expect(shows.filter(([, { shownOnce }]) => shownOnce !== true).map(([id]) => id)).toEqual([]);
});
