import { createServer } from 'node:http';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { followerArguments, upbringingIn } from '../../src/edge/crew/follower-arguments.ts';
import { aboveMe, awaitSuccessor } from '../../src/edge/crew/orphaned.ts';
import { processIdentity } from '../../src/platform/process/identity.ts';
import { tempDir } from '../support/temp.ts';

const LEAD = 4_000_000;

test('a worker without lead and keeper waits for nobody', async () => {
  const socket = join(tempDir(), 'edge.sock');
  expect(await awaitSuccessor(socket, { leadPid: LEAD, keeperLives: () => false }, () => true)).toBe('nobody');
});

test('with a keeper it waits until another edge answers than the one it had', async () => {
  const socket = join(tempDir(), 'edge.sock');
  const answers = [LEAD, LEAD, 7];
  const server = createServer((_, res) => res.end(JSON.stringify(answers.shift() ?? 7)));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  expect(await awaitSuccessor(socket, { leadPid: LEAD, keeperLives: () => true }, () => true)).toBe('another');
  expect(answers).toEqual([]);
});

test('who is the keeper is what the lead has found, and in a container that may be process 1', () => {
  const told = (keeper: ReturnType<typeof processIdentity>) =>
    upbringingIn(['node', 'main.ts', ...followerArguments({ epoch: 'e', keeper })]);
  const first = processIdentity(1);
  expect(first).not.toBe(null);
  expect(told(first)).toEqual({ epoch: 'e', keeper: first });
  expect(aboveMe(first).keeperLives()).toBe(true);
  expect(aboveMe(first && { ...first, startTime: `${first.startTime}0` }).keeperLives()).toBe(false);
  expect(aboveMe(told(null)?.keeper ?? null).keeperLives()).toBe(false);
  expect(upbringingIn(['node', 'main.ts'])).toBe(null);
});
