import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { processBuilder } from '../../src/drivers/build/process-builder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { aBuilder, aProject, aRequest, aService, build, buildEnd, built } from '../support/build-fixture.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

async function running(given: Partial<ReturnType<typeof aService>> = {}) {
  const context = aBuilder();
  const witness = join(tempDir('witness'), 'runs');
  const service = aService({ build: `echo run >> ${witness}; sleep 600`, ...given });
  const root = aProject({ 'a.txt': 'x' });
  const request = aRequest(root, { service });
  await context.builder.start(request);
  onTestFinished(async () => {
    await context.builder.cancel(request.id);
    const { state } = await context.builder.observe(request.id);
    if (state !== 'absent') await buildEnd(context.builder, request.id).catch(() => undefined);
  });
  await waitFor(() => existsSync(witness), { what: 'the command to run' });
  return { ...context, witness, service, root, request };
}

describe('a build under way', () => {
  test('is begun once, however often that is asked for', async () => {
    const { builder, request, witness } = await running();
    await Promise.all([builder.start(request), builder.start(request)]);
    expect(await builder.observe(request.id)).toMatchObject({ state: 'running' });
    await builder.cancel(request.id);
    expect(await buildEnd(builder, request.id)).toEqual({ state: 'failed', detail: 'it was cancelled' });
    await builder.start(request);
    expect(await builder.observe(request.id)).toMatchObject({ state: 'failed' });
    expect(readFileSync(witness, 'utf8')).toBe('run\n');
  });

  test('that is cancelled lets the next one of the same input do the work itself', async () => {
    const { builder, request, root, service, witness } = await running({});
    const second = aRequest(root, { service });
    await builder.start(second);
    await waitFor(async () => JSON.stringify(await builder.observe(second.id)).includes('waiting for'), {
      what: 'the second to wait',
    });
    await builder.cancel(request.id);
    await waitFor(() => readFileSync(witness, 'utf8') === 'run\nrun\n', { what: 'the second to run' });
    await builder.cancel(second.id);
    await buildEnd(builder, second.id);
  });

  test('that waits for another fails with it', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'a.txt': 'x' });
    const service = aService({ build: 'sleep 0.3; echo no such luck; exit 1' });
    const ends = await Promise.all([1, 2].map(() => build(builder, aRequest(root, { service }))));
    for (const end of ends) expect(end.detail).toContain('no such luck');
  });

  test('is removed once it is over, its log stays', async () => {
    const { builder, request, home } = await running();
    await builder.remove(request.id);
    await waitFor(async () => (await builder.observe(request.id)).state === 'absent', { what: 'it to be gone' });
    expect(readdirSync(join(home, 'artifacts/builds'))).toEqual([]);
    expect(existsSync(request.log)).toBe(true);
  });

  test('leaves no clean copy when it is over', async () => {
    const { builder, home } = aBuilder();
    const request = aRequest(aProject({ 'a.txt': 'x' }), { service: aService({ build: 'true' }) });
    const { artifact } = await built(builder, request);
    const [folder = ''] = readdirSync(join(home, 'artifacts/builds'));
    const left = () => readdirSync(join(home, 'artifacts/builds', folder)).join();
    await waitFor(() => left() === 'build.json', { what: 'the clean copy to be deleted' });
    await builder.remove(request.id);
    await builder.remove(request.id);
    expect(await builder.observe(request.id)).toEqual({ state: 'absent' });
    expect(await builder.has(artifact)).toBe(true);
  });
});

describe('what a build is told in secret', () => {
  const env = { TOKEN: [{ secret: 'TOKEN' }] };

  test('is in no record of ours, and in no message', async () => {
    const { builder, home } = aBuilder();
    const service = aService({ env, build: 'echo "token is $TOKEN"; exit 1' });
    const end = await build(builder, aRequest(aProject({ 'a.txt': 'x' }), { service, env: { TOKEN: 'tell-nobody' } }));
    expect(end.detail).toContain('token is •••');
    for (const file of readdirSync(join(home, 'artifacts'), { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toContain('tell-nobody');
  });

  test('and went into an artifact, keeps that from serving whoever has another value', async () => {
    const { builder } = aBuilder();
    const service = aService({ env, build: 'echo "$TOKEN" > page.html' });
    const root = aProject({ 'a.txt': 'x' });
    const token = (value: string) => built(builder, aRequest(root, { service, env: { TOKEN: value } }));
    const staging = await token('staging-key');
    const production = await token('production-key');
    expect(readFileSync(join(production.path, 'page.html'), 'utf8')).toBe('production-key\n');
    expect(await token('staging-key')).toMatchObject({ artifact: staging.artifact, reused: true });
    expect(await token('production-key')).toMatchObject({ artifact: production.artifact, reused: true });
  });
});

describe('collecting', () => {
  test('frees what no release needs, and nothing else', async () => {
    const { builder, home } = aBuilder();
    const root = aProject({ 'shared.txt': 'shared', 'a.txt': '1'.repeat(5000) });
    const old = aRequest(root);
    const first = await built(builder, old);
    writeFileSync(join(root, 'a.txt'), '2');
    const young = aRequest(root);
    const second = await built(builder, young);
    // Nobody may have told the releases yet.
    expect(await builder.collect(new Set())).toEqual({ artifacts: 0, bytes: 0 });
    await builder.remove(old.id);
    await builder.remove(young.id);
    expect(await builder.collect(new Set([second.artifact]))).toEqual({ artifacts: 1, bytes: 5000 });
    expect(await builder.has(first.artifact)).toBe(false);
    expect(await builder.has(second.artifact)).toBe(true);
    expect(statSync(join(second.path, 'shared.txt')).nlink).toBe(2);
    expect(await builder.artifactOf(await builder.inputDigest(root, aService()))).toBe(second.artifact);

    expect(await builder.collect(new Set())).toMatchObject({ artifacts: 1 });
    const left = readdirSync(join(home, 'artifacts'), { recursive: true, withFileTypes: true });
    expect(left.filter((each) => each.isFile() && /objects|trees|manifests|inputs/.test(each.parentPath))).toEqual([]);
    expect(await builder.artifactOf(await builder.inputDigest(root, aService()))).toBe(null);
  });

  test('begins the cache of package managers anew when it has grown too large, and not before', async () => {
    const home = tempDir('home');
    const most = (mostCached: number) => processBuilder({ home, jobs: processJobs({ home }), pollMs: 20, mostCached });
    const cached = join(home, 'cache', 'npm', '_cacache', 'content');
    mkdirSync(dirname(cached), { recursive: true });
    writeFileSync(cached, 'x'.repeat(5000));
    await most(5000).collect(new Set());
    expect(existsSync(cached)).toBe(true);
    const builder = most(4999);
    await builder.collect(new Set());
    expect(readdirSync(join(home, 'cache'))).toEqual([]);
    expect(readdirSync(join(home, 'artifacts', 'tmp'))).toEqual([]);
    const request = aRequest(aProject({}), {
      service: aService({ build: 'mkdir -p $npm_config_cache; echo x > out' }),
    });
    expect((await built(builder, request)).reused).toBe(false);
  });

  test('leaves the cache alone while a build may be using it', async () => {
    const home = tempDir('home');
    const builder = processBuilder({ home, jobs: processJobs({ home }), pollMs: 20, mostCached: 0 });
    const command =
      'mkdir -p $npm_config_cache && echo x > $npm_config_cache/it; while [ ! -e $GO ]; do sleep 0.02; done; cat $npm_config_cache/it > out';
    const go = join(home, 'go');
    const request = aRequest(aProject({}), { service: aService({ build: command }), env: { GO: go } });
    await builder.start(request);
    await waitFor(() => existsSync(join(home, 'cache', 'npm', 'it')), { what: 'the build to use the cache' });
    await builder.collect(new Set());
    writeFileSync(go, '');
    const { path } = await built(builder, request);
    expect(readFileSync(join(path, 'out'), 'utf8')).toBe('x\n');
  });

  test('while builds run harms none of them', async () => {
    const { builder } = aBuilder();
    const root = aProject(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, `content ${i}`])));
    const requests = Array.from({ length: 6 }, (_, i) =>
      aRequest(root, { service: aService({ build: i % 2 === 0 ? `echo ${i} > out` : null }) }),
    );
    let over = false;
    const collecting = (async () => {
      while (!over) await builder.collect(new Set());
    })();
    const ends = await Promise.all(requests.map((request) => built(builder, request))).finally(() => (over = true));
    await collecting;
    for (const { artifact } of ends) expect(await builder.has(artifact)).toBe(true);
  });
});
