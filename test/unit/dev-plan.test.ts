import { describe, expect, test } from 'vitest';
import {
  addressOf,
  concernedBy,
  DEV_PORTS,
  isEditorsOwn,
  nextDelay,
  ownersOf,
  planServices,
  preferredPorts,
  routesHere,
} from '../../src/app/dev/plan.ts';
import { devPrinter } from '../../src/cli/show-dev.ts';
import { createOutput } from '../../src/cli/output.ts';
import { readProject } from '../../src/config/load-project.ts';

const FILE = `project: shop
services:
  api: { run: node main.js, dir: api, routes: [/api] }
  web: { static: dist, build: make, dev: vite, dir: web, routes: [/] }
  docs: { static: pages, routes: [/docs] }
  mail: { run: node mail.js, after: [api] }
`;

async function planned(chosen: string[] = []) {
  const read = await readProject(FILE.replaceAll(/dir: \w+, /g, ''), '/nowhere', { processEnv: {} });
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('; '));
  const services = read.project.services.map((each) =>
    each.name === 'api' || each.name === 'web' ? { ...each, dir: each.name } : each,
  );
  return planServices({ ...read.project, services }, read.dev, chosen);
}

describe('what runs', () => {
  test('is the dev command, else run; a folder without either is served', async () => {
    const plan = await planned();
    expect(plan.map(({ config, command, reloads }) => [config.name, command, reloads])).toEqual([
      ['api', 'node main.js', false],
      ['web', 'vite', true],
      ['docs', null, false],
      ['mail', 'node mail.js', false],
    ]);
  });

  test('is what was chosen, and nobody waits for who is not there', async () => {
    const plan = await planned(['mail']);
    expect(plan.map(({ config, after }) => [config.name, after])).toEqual([['mail', []]]);
  });

  test('a dev command is no part of a release', async () => {
    const with_ = await readProject('project: a\nservices: { b: { run: c, dev: d } }\n', '/nowhere', {
      processEnv: {},
    });
    const without = await readProject('project: a\nservices: { b: { run: c } }\n', '/nowhere', { processEnv: {} });
    expect(with_.ok && with_.project).toEqual(without.ok && without.project);
  });
});

describe('a change', () => {
  test('concerns the services of the innermost folder around it, and what is shared concerns all', async () => {
    const owners = ownersOf(await planned());
    expect(concernedBy('api/main.js', owners)).toEqual(['api']);
    expect(concernedBy('web/src/app.tsx', owners)).toEqual(['web']);
    // `mail` has the whole folder, but for what is more closely somebody's.
    expect(concernedBy('lib/shared.js', owners)).toEqual(['mail']);
    expect(concernedBy('pages/index.html', owners)).toEqual([]);
    expect(concernedBy('apiary.js', owners)).toEqual(['mail']);
    const apart = owners.filter(({ folder }) => folder !== '.');
    expect(concernedBy('lib/shared.js', apart)).toEqual(['api', 'web']);
  });

  test('is not what an editor keeps beside the file', () => {
    for (const name of ['.main.js.swp', 'main.js~', '4913', '.#main.js', '#main.js#']) {
      expect(isEditorsOwn(name), name).toBe(true);
    }
    for (const name of ['main.js', '.env', 'a.swift', '4913.js']) expect(isEditorsOwn(name), name).toBe(false);
  });
});

describe('addresses', () => {
  test('ports are the same at every start, and different for each service', () => {
    const names = Array.from({ length: 50 }, (_, index) => `service-${index}`);
    const ports = preferredPorts('/home/ada/shop', names);
    expect(new Set(ports.values()).size).toBe(50);
    expect(preferredPorts('/home/ada/shop', names.toReversed())).toEqual(ports);
    expect(Math.min(...ports.values())).toBeGreaterThanOrEqual(DEV_PORTS.first);
    expect(Math.max(...ports.values())).toBeLessThanOrEqual(DEV_PORTS.last);
    expect(preferredPorts('/home/bob/shop', names)).not.toEqual(ports);
  });

  test('a host that leads elsewhere is had as its own name below localhost', () => {
    const route = { host: 'api.shop.example', path: '/v1' };
    expect(routesHere([route])).toEqual([route, { host: 'api.shop.example.localhost', path: '/v1' }]);
    expect(addressOf(route, '127.0.0.1', 8080)).toBe('http://api.shop.example.localhost:8080/v1');
    expect(addressOf({ host: null, path: '/' }, '0.0.0.0', 8080)).toBe('http://127.0.0.1:8080/');
    expect(addressOf({ host: null, path: '/' }, '::1', 80)).toBe('http://[::1]:80/');
  });
});

test('short lives are followed by longer pauses, and a long one is forgiven', () => {
  let delay = 0;
  const delays = Array.from({ length: 7 }, () => (delay = nextDelay(delay, 10)));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(nextDelay(30_000, 60_000)).toBe(1_000);
});

describe('the output', () => {
  const stream = { write: () => true };
  const output = createOutput({ stdout: stream, stderr: stream, env: {} }, { json: false, color: true });

  test('has the name of its service before each line, in one column, and ours before what we say', () => {
    const print = devPrinter(output, ['api', 'a-longer-name']);
    expect(print({ type: 'line', service: 'api', text: '\u001b[2Jhello' })).toBe('api           | hello');
    expect(print({ type: 'ended', service: 'api', text: 'api ended' })).toBe('evenkeel      | api ended');
  });

  test('is plain when nobody looks, and has a colour for each service on a terminal', () => {
    const terminal = createOutput(
      { stdout: { ...stream, isTTY: true }, stderr: stream, env: {} },
      { json: false, color: true },
    );
    const print = devPrinter(terminal, ['api', 'web']);
    const [api, web] = ['api', 'web'].map((service) => print({ type: 'line', service, text: 'x' }));
    expect(api).toContain('\u001b[36mapi');
    expect(web).toContain('\u001b[32mweb');
  });
});
