import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';
import { processIdentity, isAlive, isDead, processStat } from '../../src/platform/process/identity.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { sendSignal } from '../../src/platform/process/table.ts';
import { instanceBench, marked, NO_CGROUPS, scope } from '../support/runtime-bench.ts';
import type { InstanceBench } from '../support/runtime-bench.ts';
import { waitFor } from '../support/wait.ts';

const DRIVER = fileURLToPath(new URL('./runtime-driver.ts', import.meta.url));

const folder = (bench: InstanceBench): string =>
  join(bench.home, 'instances', readdirSync(join(bench.home, 'instances'))[0] ?? '');
const shimOf = (bench: InstanceBench): number =>
  Number(readFileSync(join(folder(bench), 'claim'), 'utf8').split(' ')[0]);

async function waitUntilGone(bench: InstanceBench): Promise<void> {
  await waitFor(() => bench.processes().length === 0, { what: 'every process to be gone' });
}

/** Runs the driver and kills it after so many ms, or as soon as it is done. */
async function killedController(what: string, home: string, value: unknown, afterMs?: number): Promise<void> {
  const kill = new AbortController();
  const run = runCommand([process.execPath, DRIVER, what, home, JSON.stringify(value)], {
    abort: kill.signal,
    timeout: afterMs ?? 1_000,
  });
  await run;
}

describe.each([
  ['with control groups', undefined],
  ['without control groups', NO_CGROUPS],
])('%s', (_, cgroups) => {
  const open = () => instanceBench(cgroups === undefined ? {} : { cgroups });

  test('kill -9 of the command is told as that, with whatever it had forked killed too', async () => {
    const bench = open();
    await bench.runtime.start(bench.spec({ command: 'sleep 700 & (setsid sleep 701 &) ; exec sleep 600' }));
    await waitFor(() => bench.processes().length === 4, { what: 'its children' });
    sendSignal((await bench.seen()).pid ?? 0, 'SIGKILL');
    expect((await bench.ended()).end).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    await waitUntilGone(bench); // nobody ends anything of it after its end
  });

  test('kill -9 of its shim: the rest is killed, and nobody claims to know how it ended', async () => {
    const bench = open();
    await bench.runtime.start(bench.spec({ command: 'sleep 700 & (setsid sleep 701 &) ; exec sleep 600' }));
    await waitFor(() => bench.processes().length === 4, { what: 'its children' });
    sendSignal(shimOf(bench), 'SIGKILL');
    expect(await bench.ended()).toMatchObject({ end: { kind: 'unknown' }, stopRequested: false });
    await waitUntilGone(bench);
  });

  test('kill -9 of the whole group leaves nothing, and an unknown end', async () => {
    const bench = open();
    await bench.runtime.start(bench.spec({ command: 'sleep 700 & sleep 600' }));
    await waitFor(() => bench.processes().length >= 3, { what: 'its children' });
    process.kill(-shimOf(bench), 'SIGKILL');
    expect((await bench.ended()).end).toMatchObject({ kind: 'unknown' });
    await waitUntilGone(bench);
  });

  test('a daemon that left the session does not outlive the command that started it', async () => {
    const bench = open();
    const daemon = `(setsid sh -c "trap '' TERM HUP; while :; do sleep 0.1; done" &) ; sleep 0.3; exit 0`;
    await bench.runtime.start(bench.spec({ command: daemon }));
    expect((await bench.ended()).end).toEqual({ kind: 'exit', code: 0 });
    await waitUntilGone(bench); // nobody ends anything of it after its end
  });

  test('a stop reaches forked children and daemons that ignore it, at the latest by SIGKILL', async () => {
    const bench = open();
    const stubborn = `sh -c "trap '' TERM; while :; do sleep 0.1; done"`;
    const spec = bench.spec({
      command: `${stubborn} & (setsid ${stubborn} &) ; trap '' TERM; while :; do sleep 0.1; done`,
    });
    await bench.runtime.start(spec);
    await waitFor(() => bench.processes().length >= 4, { what: 'its children' });
    await sleep(200);
    await bench.runtime.stop(spec.id, { graceMs: 500, reason: 'test' });
    expect(await bench.ended()).toMatchObject({ end: { kind: 'signal', signal: 'SIGKILL' }, stopRequested: true });
    await waitUntilGone(bench); // nobody ends anything of it after its end
  });
});

test('a stop is carried through although the controller dies as soon as it has asked', async () => {
  const bench = instanceBench();
  const spec = bench.spec({ command: `trap '' TERM; echo ready; while :; do sleep 0.1; done` });
  await bench.runtime.start(spec);
  await waitFor(() => bench.output().includes('ready'), { what: 'it to ignore signals' });
  await killedController('stop', bench.home, { id: spec.id, graceMs: 300, reason: 'test' });
  await waitUntilGone(bench); // nobody looks, nobody asks again
  expect(await bench.seen()).toMatchObject({ end: { kind: 'signal', signal: 'SIGKILL' }, stopRequested: true });
});

test('a stop at any moment of a start is heard: nothing has to be killed', async () => {
  const bench = instanceBench();
  for (let delay = 0; delay < 24; delay++) {
    const spec = bench.spec({ id: `api@1.${delay}` });
    const starting = bench.runtime.start(spec);
    await sleep(delay);
    await bench.runtime.stop(spec.id, { graceMs: 60_000, reason: 'test' });
    await starting;
    // Before its folder was there, there was nothing to stop.
    await bench.runtime.stop(spec.id, { graceMs: 60_000, reason: 'test' });
    const { end } = await bench.until(({ state }) => state === 'ended', `the end after ${delay} ms`);
    expect(end?.kind === 'signal' ? end.signal : end?.kind).toMatch(/^(SIGTERM|start-failed)$/);
    await bench.runtime.remove(spec.id);
  }
});

test('a stop that was written down but never signalled is signalled by the next look', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec());
  writeFileSync(join(folder(bench), 'stop'), '1000\ntest\n');
  expect(await bench.ended()).toMatchObject({ end: { kind: 'signal', signal: 'SIGTERM' }, stopRequested: true });
});

test('killed at any moment of a start, then started again: exactly one runs', async () => {
  const bench = instanceBench();
  for (let i = 0; i < 200; i++) writeFileSync(join(bench.artifact, `file-${i}`), 'x'.repeat(2_000));
  const ids: string[] = [];
  for (const [index, afterMs] of [40, 90, 120, 140, 155, 170, 190, 220, 300].entries()) {
    const spec = bench.spec({ id: `api@1.${index}`, command: `echo ran ${index}; exec sleep 600` });
    ids.push(spec.id);
    await killedController('start', bench.home, spec, afterMs);
    await Promise.all([bench.runtime.start(spec), processRuntime({ home: bench.home }).start(spec)]);
  }
  await waitFor(() => bench.output().split('\n').length > ids.length, { what: 'all to run' });
  const seen = await bench.runtime.observe(scope);
  expect(seen.map(({ id, state }) => `${id} ${state}`).toSorted()).toEqual(ids.map((id) => `${id} running`));
  expect(bench.output().trim().split('\n').toSorted()).toEqual(ids.map((_, index) => `ran ${index}`));
});

test('six controllers at once start one process', async () => {
  const bench = instanceBench();
  const spec = bench.spec({ command: 'echo ran; exec sleep 600' });
  await Promise.all(Array.from({ length: 6 }, () => killedController('start', bench.home, spec, 3_000)));
  expect(bench.output()).toBe('ran\n');
  expect((await bench.seen()).state).toBe('running');
});

test('started twice at once with different ports, it is known by the port that it really has', async () => {
  const bench = instanceBench();
  const command = 'echo $PORT; exec sleep 600';
  const ports = await Promise.all([1, 2, 3, 4].map(() => bench.runtime.allocatePort()));
  await Promise.all(ports.map((port) => processRuntime({ home: bench.home }).start(bench.spec({ command, port }))));
  await waitFor(() => bench.output().endsWith('\n'), { what: 'its port' });
  expect(`${(await bench.seen()).port}\n`).toBe(bench.output());
});

test('after a reboot everything has ended, whatever process has the number now', async () => {
  const bench = instanceBench();
  const spec = bench.spec();
  await bench.runtime.start(spec);
  const file = join(folder(bench), 'claim');
  const claim = readFileSync(file, 'utf8');
  writeFileSync(file, claim.replace(/\S+ (\w+)\n$/, '00000000-0000-4000-8000-000000000000 $1\n'));
  expect(await bench.seen()).toMatchObject({ state: 'ended', end: { kind: 'unknown', detail: 'rebooted' } });
  process.kill(-Number(claim.split(' ')[0]), 'SIGKILL');
});

test('another process that was given the number of an old one is not taken for it, and not harmed', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec());
  const me = processIdentity(process.pid);
  if (me === null) throw new Error('this process does not live?');
  const [shim, command] = [shimOf(bench), (await bench.seen()).pid ?? 0];
  writeFileSync(
    join(folder(bench), 'claim'),
    readFileSync(join(folder(bench), 'claim'), 'utf8').replace(/^\d+ \d+/, `${process.pid} 1`),
  );
  const { end } = await bench.ended();
  // Its shim may live long enough to write down how the command was killed; that it ended by itself nobody says.
  expect(end?.kind === 'signal' ? end.signal : end?.kind).toMatch(/^(unknown|SIGKILL)$/);
  expect(isAlive(me)).toBe(true);
  await waitFor(() => [shim, command].every((pid) => isDead(processStat(pid))), {
    what: 'the marked ones to be killed',
  });
});

test('a damaged record is an unknown end, never a success', async () => {
  const bench = instanceBench();
  await bench.runtime.start(bench.spec({ command: 'exit 0' }));
  await waitFor(() => existsSync(join(folder(bench), 'end')), { what: 'its record' });
  await waitUntilGone(bench);
  writeFileSync(join(folder(bench), 'end'), '{"code":0,"sig');
  expect((await bench.seen()).end).toEqual({ kind: 'unknown', detail: 'the record of its end is damaged' });
});

test('a zombie counts as ended', async () => {
  const bench = instanceBench();
  // Its parent neither waits for it nor ends.
  const parent = `sh -c 'sleep 0.2' & echo $! ; exec sleep 5`;
  await bench.runtime.start(bench.spec({ command: parent }));
  const pid = await waitFor(() => Number(bench.output().trim()), { what: 'the pid of the child' });
  await waitFor(() => processStat(pid)?.state === 'Z', { what: 'the child to be a zombie' });
  expect(processIdentity(pid)).toBeNull();
});

const root = process.getuid?.() === 0;

describe.runIf(root)('on a full disk', () => {
  async function fullDisk(): Promise<{ home: string; fill: () => void; free: () => void }> {
    const { tempDir } = await import('../support/temp.ts');
    const { onTestFinished } = await import('vitest');
    const home = tempDir('disk');
    await runCommand(['mount', '-t', 'tmpfs', '-o', 'size=400k,mode=700', 'tmpfs', home]);
    onTestFinished(async () => {
      await waitFor(() => marked(home).length === 0, { what: 'processes to go', timeout: 5_000 }).catch(() => {});
      await runCommand(['umount', '--lazy', home]);
    });
    const ballast = join(home, 'ballast');
    return {
      home,
      fill: () => {
        try {
          writeFileSync(ballast, Buffer.alloc(1_000_000, 1));
        } catch {
          // full, as intended
        }
      },
      free: () => rmSync(ballast),
    };
  }

  test('what runs still records how it ended', async () => {
    const disk = await fullDisk();
    const bench = instanceBench({ home: disk.home });
    await bench.runtime.start(bench.spec({ command: 'sleep 0.5; exit 3' }));
    await bench.until(({ state }) => state === 'running', 'it to run');
    disk.fill();
    expect((await bench.ended()).end).toEqual({ kind: 'exit', code: 3 });
  });

  test('what cannot start says so, either as its end or as an error that may be tried again', async () => {
    const disk = await fullDisk();
    const bench = instanceBench({ home: disk.home });
    writeFileSync(join(bench.artifact, 'big'), Buffer.alloc(250_000, 1));
    const spec = bench.spec();
    const error = await bench.runtime.start(spec).then(
      () => null,
      (problem: unknown) => problem,
    );
    if (error === null)
      expect((await bench.seen()).end).toMatchObject({
        kind: 'start-failed',
        detail: expect.stringContaining('ENOSPC'),
      });
    else expect(error).toMatchObject({ code: 'instance-start-failed', retryable: true });
    await waitUntilGone(bench); // nobody ends anything of it after its end
  });

  test('a stop works, even when it cannot be written down', async () => {
    const disk = await fullDisk();
    const bench = instanceBench({ home: disk.home });
    const spec = bench.spec();
    await bench.runtime.start(spec);
    disk.fill();
    await bench.runtime.stop(spec.id, { graceMs: 5_000, reason: 'test' });
    disk.free();
    expect(await bench.ended()).toMatchObject({ stopRequested: true });
  });
});

describe('what must be alone', () => {
  test('begins after the other has ended, even when both are started in one moment', async () => {
    const bench = instanceBench();
    const witness = join(bench.home, 'witness');
    const command = `echo begin >>${witness}; trap 'sleep 0.3; echo end >>${witness}; exit 0' TERM; while :; do sleep 0.05; done`;
    const first = bench.spec({ alone: true, command });
    const second = bench.spec({ alone: true, command, id: 'chat.production.api@43.0.0', release: 'api@43' });
    await Promise.all([bench.runtime.start(first), processRuntime({ home: bench.home }).start(second)]);
    const lines = (): string[] => (existsSync(witness) ? readFileSync(witness, 'utf8').trim().split('\n') : []);
    await waitFor(() => lines().length > 0, { what: 'one of them to begin' });
    for (const { id } of [first, second]) await bench.runtime.stop(id, { graceMs: 20_000, reason: 'test' });
    const all = async (): Promise<boolean> =>
      (await bench.runtime.observe(scope)).every(({ state }) => state === 'ended');
    await waitFor(all, { what: 'both to end', timeout: 30_000 });
    // The other one waited, and was stopped before it began, or begins and ends after the first.
    expect(lines().filter((_, index) => index % 2 === 0)).not.toContain('end');
    expect(lines().filter((_, index) => index % 2 === 1)).not.toContain('begin');
  });

  test('is not kept waiting by one that was killed', async () => {
    const bench = instanceBench();
    const first = bench.spec({ alone: true });
    await bench.runtime.start(first);
    for (const pid of marked(bench.home)) sendSignal(pid, 'SIGKILL');
    await bench.ended();
    const second = bench.spec({
      alone: true,
      command: 'echo here',
      id: 'chat.production.api@43.0.0',
      release: 'api@43',
    });
    await bench.runtime.start(second);
    await waitFor(() => bench.output().includes('here'), { what: 'the second to begin' });
  });
});
