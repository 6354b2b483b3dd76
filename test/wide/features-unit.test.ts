import { describe, expect, test } from 'vitest';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { json, newest, run, service } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask, Visitor } from '../support/features/visitor.ts';
import { projectFolder, writeFiles } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

/** Strangers that ask one after the other, until they are told to stop. */
function askers(port: number, path: string, count: number): () => Promise<void> {
  let over = false;
  const each = async (): Promise<void> => {
    while (!over) await ask(port, path);
  };
  const all = Promise.all(Array.from({ length: count }, each));
  return async () => {
    over = true;
    await all;
  };
}

const site = (version: string): Record<string, string> => ({
  'site/index.html': `<script src="/app.${version}.js"></script>`,
  [`site/app.${version}.js`]: `console.log('${version}')`,
});

describe('several services as one unit', { timeout: 120_000 }, () => {
  test('start in order, are split alike, call each other, and are taken back as one', async () => {
    const port = await freePort();
    const file = (canary: string): string => `
project: unit
port: ${port}
services:
  web: { static: { dir: site, spa: true }, routes: [/] }
  api:
    run: node api.js
    routes: [/api]
    after: [core]
    env: { UPSTREAM: "\${services.core.url}" }
    ${HEALTH}
  core: { run: node core.js, routes: [/core], ${HEALTH} }
environments:
  development:
    rollout: { rollbackWindow: 5m, drain: 1s${canary} }
`;
    const version = (name: string): Record<string, string> => ({
      'api.js': server(name),
      'core.js': server(name),
    });
    const root = projectFolder({ 'evenkeel.yaml': file(''), ...version('v1'), ...site('aaaa1111') });
    await run(system, root, ['up']);
    expect(await ask(port, '/api')).toMatchObject({ status: 200, body: 'api v1' });
    expect(await ask(port, '/api/via')).toMatchObject({ status: 200, body: 'core v1' });
    expect(await ask(port, '/some/page', { accept: 'text/html' })).toMatchObject({
      status: 200,
      body: expect.stringContaining('aaaa1111'),
    });

    const load = visitors(port);
    writeFiles(root, {
      'evenkeel.yaml': file(', canary: [{ weight: 50, for: 5m }], onInconclusive: pause'),
      ...version('v2'),
      ...site('bbbb2222'),
    });
    await run(system, root, ['deploy', '--wait', 'none']);
    const canary = await waitFor(
      async () => {
        const { rollout, entries } = await newest(system, root);
        return rollout.phase === 'canary' && rollout.canary.weight === 50 ? { rollout, entries } : null;
      },
      { what: 'the canary', timeout: 30_000, interval: 200 },
    );
    expect(canary.rollout.services.map((each) => each.to)).toEqual(['web@2', 'core@2', 'api@2']);
    // It is written down before it is done: who comes in between is no session yet.
    await waitFor(async () => (await ask(port, '/api')).headers['set-cookie'] !== undefined, { what: 'the split' });

    const versions = new Set<string>();
    for (let each = 0; each < 40; each++) {
      const visitor = new Visitor(port);
      const first = (await visitor.get('/api')).body.replace('api ', '');
      versions.add(first);
      for (let again = 0; again < 2; again++) {
        expect((await visitor.get('/api')).body).toBe(`api ${first}`);
        expect((await visitor.get('/core')).body).toBe(`core ${first}`);
        expect((await visitor.get('/')).body).toContain(first === 'v1' ? 'aaaa1111' : 'bbbb2222');
        // What a service asks on behalf of the session is answered by the same version too.
        expect((await visitor.get('/api/via')).body).toBe(`core ${first}`);
      }
      // Pages of either release are open in browsers: their files are there for everybody.
      expect(await visitor.get('/app.aaaa1111.js')).toMatchObject({ status: 200, body: "console.log('aaaa1111')" });
      expect(await visitor.get('/app.bbbb2222.js')).toMatchObject({ status: 200, body: "console.log('bbbb2222')" });
    }
    expect(versions).toEqual(new Set(['v1', 'v2']));

    await run(system, root, ['promote']);
    await waitFor(async () => (await newest(system, root)).rollout.phase === 'watching', { what: 'promotion' });
    expect((await ask(port, '/api')).body).toBe('api v2');
    expect((await ask(port, '/api/via')).body).toBe('core v2');
    expect(await ask(port, '/app.aaaa1111.js')).toMatchObject({ status: 200 });

    const back = await run(system, root, ['rollback', 'api']);
    expect(back.stdout).toMatch(/web@1, core@1, api@1 have all traffic again/);
    expect((await ask(port, '/api')).body).toBe('api v1');
    expect((await ask(port, '/core')).body).toBe('core v1');
    expect((await ask(port, '/')).body).toContain('aaaa1111');
    const { entries } = await newest(system, root);
    expect(entries.map((each) => each.to)).toEqual(
      expect.arrayContaining(['building', 'starting', 'verifying', 'canary', 'promoting', 'watching', 'rolled-back']),
    );
    const seen = await load.stop();
    expect([...seen.statuses.keys()]).toEqual([200]);
  });

  test('a service that only its companions ask is judged by what they saw of it', async () => {
    const port = await freePort();
    const root = projectFolder({
      'evenkeel.yaml': `
project: inner
port: ${port}
services:
  front: { run: node front.js, routes: [/], env: { UPSTREAM: "\${services.back.url}" }, ${HEALTH} }
  back: { run: node back.js, ${HEALTH} }
environments:
  development:
    rollout: { rollbackWindow: 5m, drain: 1s, canary: [{ weight: 50, for: 6s }], onInconclusive: pause }
`,
      'front.js': server('v1'),
      'back.js': server('v1'),
    });
    await run(system, root, ['up']);
    const busy = askers(port, '/via', 4);
    writeFiles(root, { 'front.js': server('v2'), 'back.js': server('v2') });
    const good = await run(system, root, ['deploy', '--json']);
    expect(JSON.parse(good.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ outcome: 'promoted' });
    expect((await ask(port, '/via')).body).toBe('back v2');

    // Whoever asks it hides what it does wrong.
    const bad = `paths['/fails'] = (request, response) => { response.statusCode = 500; response.end('back v3'); };`;
    const hides = `paths['/via'] = async (request, response) => { await fetch(process.env.UPSTREAM + '/fails'); response.end('fine'); };`;
    writeFiles(root, { 'front.js': server('v3', hides), 'back.js': server('v3', bad) });
    const failed = await run(system, root, ['deploy'], { code: 2 });
    expect(failed.stdout).toMatch(/back@3|back/);
    const { rollout } = await newest(system, root);
    expect(rollout).toMatchObject({ end: 'failed' });
    expect(rollout.services.find((each) => each.service === 'back')?.verdict).toMatchObject({ verdict: 'fail' });
    expect((await ask(port, '/via')).body).toBe('back v2');
    await busy();
  });

  test('start only once what they come after is verified', async () => {
    const port = await freePort();
    const file = `
project: order
port: ${port}
services:
  front: { run: node front.js, routes: [/], after: back, env: { BACK: "\${services.back.url}" }, ${HEALTH} }
  back: { run: node back.js, ${HEALTH} }
`;
    // It does not start without the other one, as many programs do not.
    const front = `
fetch(process.env.BACK).then((reply) => reply.text()).then((text) => {
  if (text !== 'back v1') process.exit(9);
  const server = require('node:http').createServer((request, response) => response.end('behind it: ' + text))
    .listen(process.env.PORT, process.env.HOST);
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
}, () => process.exit(8));
`;
    const slow = `const late = Date.now() + 700; health = (request, response) => { response.statusCode = Date.now() < late ? 503 : 200; response.end(); };`;
    const root = projectFolder({ 'evenkeel.yaml': file, 'front.js': front, 'back.js': server('v1', slow) });
    await run(system, root, ['up']);
    expect(await ask(port, '/')).toMatchObject({ status: 200, body: 'behind it: back v1' });
    expect((await service(system, root, 'front')).instances).toMatchObject([{ restarts: 0 }]);
  });

  test('one that fails takes the others of its unit with it', async () => {
    const port = await freePort();
    const root = projectFolder({
      'evenkeel.yaml': `
project: together
port: ${port}
services:
  good: { run: node good.js, routes: [/good], ${HEALTH} }
  bad: { run: node bad.js, routes: [/bad], ${HEALTH} }
`,
      'good.js': server('v1'),
      'bad.js': server('v1'),
    });
    await run(system, root, ['up']);
    const load = visitors(port);
    writeFiles(root, { 'good.js': server('v2'), 'bad.js': 'console.error("no such table"); process.exit(4)' });
    const failed = await run(system, root, ['deploy'], { code: 2 });
    expect(failed.stdout).toMatch(/bad@2 .*exit code 4/s);
    expect(failed.stdout).toMatch(/good@1, bad@1 have all traffic/);
    expect((await ask(port, '/good')).body).toBe('good v1');
    expect((await ask(port, '/bad')).body).toBe('bad v1');
    expect(Object.fromEntries((await load.stop()).versions)).not.toHaveProperty('v2');
  });

  test('gain a service and lose one, as the file says', async () => {
    const port = await freePort();
    const head = `project: grows\nport: ${port}\nservices:\n`;
    const one = `  one: { run: node main.js, routes: [/one], ${HEALTH} }\n`;
    const tail = 'environments:\n  development: { rollout: { rollbackWindow: 2s, drain: 1s } }\n';
    const two = `  two: { run: node main.js, routes: [/two], ${HEALTH} }\n`;
    const root = projectFolder({ 'evenkeel.yaml': head + one + tail, 'main.js': server('v1') });
    await run(system, root, ['up']);
    expect(await ask(port, '/two')).toMatchObject({ status: 404 });

    writeFiles(root, { 'evenkeel.yaml': head + one + two + tail });
    const grown = await run(system, root, ['up']);
    expect(grown.stdout).toContain('two@1');
    expect(grown.stdout).not.toContain('one@2');
    expect(await ask(port, '/two')).toMatchObject({ status: 200, body: 'two v1' });

    writeFiles(root, { 'evenkeel.yaml': head + two + tail });
    const shrunk = await run(system, root, ['up']);
    expect(shrunk.stdout).toMatch(/one is not in evenkeel\.yaml any more and will be taken down/);
    await waitFor(async () => (await ask(port, '/one')).status === 404, { what: 'the route of the removed one to go' });
    expect(await ask(port, '/two')).toMatchObject({ status: 200, body: 'two v1' });
    const names = (status: StatusReply): string[] =>
      (status.environments[0]?.services ?? []).map((each) => `${each.service}: ${each.instances.length}`);
    await waitFor(async () => names(await json<StatusReply>(system, root, ['status'])).join() === 'two: 1', {
      what: 'only two to run',
      timeout: 20_000,
      interval: 200,
    });
  });

  test('a service takes over the route of one that was renamed', async () => {
    const port = await freePort();
    const file = (name: string): string =>
      `project: renamed\nport: ${port}\nservices:\n  ${name}: { run: node main.js, routes: [/], ${HEALTH} }\n`;
    const root = projectFolder({ 'evenkeel.yaml': file('old'), 'main.js': server('v1') });
    await run(system, root, ['up']);
    expect((await ask(port, '/')).body).toBe('old v1');
    const load = visitors(port);
    writeFiles(root, { 'evenkeel.yaml': file('fresh') });
    await run(system, root, ['up']);
    expect((await ask(port, '/')).body).toBe('fresh v1');
    await run(system, root, ['rollback', 'fresh']);
    await waitFor(async () => (await ask(port, '/')).body === 'old v1', {
      what: 'the old one to have its route again',
    });
    expect(await service(system, root, 'old')).toMatchObject({ release: 'old@1', health: 'healthy' });
    expect([...(await load.stop()).statuses.keys()]).toEqual([200]);
  });
});
