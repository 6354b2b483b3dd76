import { createServer } from 'node:http';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { awaitSuccessor } from '../../src/edge/crew/orphaned.ts';
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
