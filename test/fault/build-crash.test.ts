import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BuildRequest, Builder } from '../../src/ports/builder.ts';
import { aBuilder, aProject, aRequest, aService, buildEnd, built } from '../support/build-fixture.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const WORKER = join(import.meta.dirname, '../support/build-worker.ts');

/** Builds in a process of its own and kills that once it says what is waited for, or after the time. */
async function buildAndKill(home: string, request: BuildRequest, at: { says: RegExp } | { ms: number }): Promise<void> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify({ home, request })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    if ('says' in at)
      await waitFor(() => at.says.test(said), { what: `the build to say ${at.says}`, timeout: 30_000, interval: 2 });
    else {
      await waitFor(() => said !== '', { what: 'the build to start', timeout: 30_000, interval: 2 });
      await sleep(at.ms);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** What the engine does: whatever is absent is begun. */
async function goOn(builder: Builder, request: BuildRequest) {
  onTestFinished(() => builder.cancel(request.id));
  if ((await builder.observe(request.id)).state === 'absent') await builder.start(request);
  return waitFor(
    async () => {
      const seen = await builder.observe(request.id);
      if (seen.state === 'absent') await builder.start(request);
      return seen.state === 'done' || seen.state === 'failed' ? seen : null;
    },
    { what: 'the end of the build', timeout: 40_000 },
  );
}

function aBigProject(): string {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`lib/${i % 20}/file${i}.txt`, `content ${i}\n`.repeat(50)]),
  );
  return aProject(files);
}

describe('after a controller was killed', () => {
  test('a command that was running is found again, and is not run twice', async () => {
    const { builder, home } = aBuilder();
    const root = aProject({ 'a.txt': 'as it was' });
    const gate = join(tempDir('gate'), 'open');
    const witness = join(tempDir('witness'), 'runs');
    const service = aService({
      build: `echo run >> ${witness}; until [ -e ${gate} ]; do sleep 0.05; done; cp a.txt b.txt`,
    });
    const request = aRequest(root, { service });
    await buildAndKill(home, request, { says: /runs \(pid/ });
    writeFileSync(join(root, 'a.txt'), 'edited since');
    expect((await builder.observe(request.id)).state).toBe('running');
    writeFileSync(gate, '');
    const end = await buildEnd(builder, request.id);
    if (end.state !== 'done') throw new Error(end.detail);
    expect(readFileSync(join(builder.artifactPath(end.artifact), 'b.txt'), 'utf8')).toBe('as it was');
    expect(readFileSync(witness, 'utf8')).toBe('run\n');
  });

  test('a command whose end nobody recorded begins again from the same clean copy', async () => {
    const { builder, home, jobs } = aBuilder();
    const root = aProject({ 'a.txt': 'as it was' });
    const witness = join(tempDir('witness'), 'runs');
    const service = aService({
      build: `[ ! -e dirt ] || exit 9; echo x > dirt; echo run >> ${witness}; [ $(wc -l < ${witness}) = 2 ] || sleep 600`,
    });
    const request = aRequest(root, { service });
    await buildAndKill(home, request, { says: /runs \(pid/ });
    await waitFor(() => readFileSync(witness, 'utf8') === 'run\n', { what: 'the command to run' });
    const job = await jobs.observe(request.id);
    if (job.state !== 'running') throw new Error(`the job is ${job.state}`);
    killAll(home);
    writeFileSync(join(root, 'a.txt'), 'edited since');
    const end = await goOn(builder, request);
    if (end.state !== 'done') throw new Error(end.detail);
    expect(readFileSync(witness, 'utf8')).toBe('run\nrun\n');
    expect(readFileSync(join(builder.artifactPath(end.artifact), 'a.txt'), 'utf8')).toBe('as it was');
  });

  test.each([0, 25, 60, 200])('after %i ms, the build comes to its end and leaves nothing half-made', async (ms) => {
    const { builder, home } = aBuilder();
    const root = aBigProject();
    const service = aService({ build: 'mkdir out && cp -r lib out/ && sleep 0.1' });
    const request = aRequest(root, { service });
    await buildAndKill(home, request, { ms });
    const end = await goOn(builder, request);
    if (end.state !== 'done') throw new Error(end.detail);
    expect(await builder.has(end.artifact)).toBe(true);
    for (const at of ['lib/7/file127.txt', 'out/lib/7/file127.txt'])
      expect(readFileSync(join(builder.artifactPath(end.artifact), at), 'utf8')).toBe('content 127\n'.repeat(50));
    expect(readdirSync(join(builder.artifactPath(end.artifact), 'out/lib'))).toHaveLength(20);
    await builder.collect(new Set([end.artifact]));
    // The copies that the build worked in are deleted behind its end.
    await waitFor(() => readdirSync(join(home, 'artifacts/tmp')).length === 0, { what: 'nothing half-made' });
    expect(await builder.has(end.artifact)).toBe(true);
  });

  test.each([null, 'touch built'])(
    'an artifact that was cut off while it was stored is none (build: %s)',
    async (command) => {
      const { builder, home } = aBuilder();
      const request = aRequest(aBigProject(), { service: aService({ build: command }) });
      await buildAndKill(home, request, { says: /files stored/ });
      const end = await goOn(builder, request);
      if (end.state !== 'done') throw new Error(end.detail);
      expect(readdirSync(join(builder.artifactPath(end.artifact), 'lib'))).toHaveLength(20);
    },
  );
});

/** SIGKILL to every process that works below this folder: what a power cut does. */
function killAll(folder: string): void {
  for (let round = 0; round < 3; round++) {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)) {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`EVENKEEL_FOLDER=${folder}`)) continue;
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // ended meanwhile
      }
    }
  }
}

test('an artifact that lost a file, or was written to, is built again instead of used', async () => {
  const { builder } = aBuilder();
  const root = aProject({ 'a.txt': 'original', 'b.txt': 'other' });
  const service = aService({ build: 'cp a.txt c.txt' });
  const first = await built(builder, aRequest(root, { service }));
  for (const harm of [
    (path: string) => writeFileSync(join(path, 'a.txt'), 'tampered'),
    (path: string) => rmSync(join(path, 'b.txt')),
  ]) {
    harm(first.path);
    expect(await builder.has(first.artifact)).toBe(false);
    expect(await builder.artifactOf(await builder.inputDigest(root, service))).toBe(null);
    const again = await built(builder, aRequest(root, { service }));
    expect(again).toMatchObject({ artifact: first.artifact, reused: false });
    expect(readFileSync(join(again.path, 'a.txt'), 'utf8')).toBe('original');
    expect(readFileSync(join(again.path, 'b.txt'), 'utf8')).toBe('other');
    expect(await builder.has(first.artifact)).toBe(true);
  }
});
