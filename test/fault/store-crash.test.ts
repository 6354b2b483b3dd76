import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { tempDir } from '../support/temp.ts';

const WRITER = new URL('store-writer.ts', import.meta.url).pathname;

interface Acknowledged {
  version: number;
  request: number;
  releases: string[];
}

/** Lets a writer run until it has said `lines` things, kills it and answers what it had said by then. */
async function writeUntilKilled(file: string, name: string, lines: number): Promise<Acknowledged> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, file, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said: Acknowledged = { version: 0, request: 0, releases: [] };
  let count = 0;
  if (child.stdout === null) throw new Error('no output');
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, value = ''] = line.split(' ');
    if (kind === 'version') said.version = Number(value);
    if (kind === 'request') said.request = Number(value);
    if (kind === 'release') said.releases.push(value);
    if (++count === lines) child.kill('SIGKILL');
  }
  expect((await ended)[1]).toBe('SIGKILL');
  return said;
}

/** Everything that was acknowledged is there, and what belongs together is there together. */
async function expectWhole(file: string, name: string, said: Acknowledged, before: string[]): Promise<string[]> {
  const store = await openSqliteStore({ file });
  try {
    const rollout = await store.rollout(name);
    const journal = await store.journal(name);
    expect(rollout?.version).toBeGreaterThanOrEqual(said.version);
    expect(rollout?.step).toBe(rollout?.version);
    expect(journal.map(({ seq }) => seq)).toEqual(
      Array.from({ length: rollout?.version ?? 0 }, (_, index) => index + 1),
    );
    expect(journal.at(-1)?.reason).toBe(`version ${rollout?.version}`);
    const deployments = await store.deployments('chat', 'production');
    const mine = deployments.find(({ service }) => service === name);
    expect(mine?.current).toBe(`${name}@${rollout?.version}`);
    const requests = await store.requests(name, 0);
    expect(requests.length).toBeGreaterThanOrEqual(said.request);
    expect(requests.map(({ seq }) => seq)).toEqual(requests.map((_, index) => index + 1));
    const releases = (await store.releases({ project: 'chat' })).map(({ id }) => id);
    expect(releases).toEqual(expect.arrayContaining([...before, ...said.releases]));
    return releases;
  } finally {
    await store.close();
  }
}

test('kill -9 in the midst of writing loses nothing that was acknowledged, and nothing half done stays', async () => {
  const file = join(tempDir('store'), 'state.db');
  let known: string[] = [];
  for (let round = 0; round < 8; round++) {
    // Different places of the writer's cycle, and of a millisecond.
    const said = await writeUntilKilled(file, 'one', 20 + Math.floor(Math.random() * 200));
    known = await expectWhole(file, 'one', said, known);
  }
});

test('two processes write at once, and are killed, and neither undoes or repeats what the other did', async () => {
  const file = join(tempDir('store'), 'state.db');
  for (let round = 0; round < 3; round++) {
    const [one, two] = await Promise.all([writeUntilKilled(file, 'one', 150), writeUntilKilled(file, 'two', 90)]);
    expect(one.releases.filter((release) => two.releases.includes(release))).toEqual([]);
    await expectWhole(file, 'one', one, two.releases);
    await expectWhole(file, 'two', two, one.releases);
  }
});
