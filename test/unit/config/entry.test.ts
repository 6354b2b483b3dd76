import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readProject } from '../../../src/config/load-project.ts';
import { OPEN } from '../../../src/domain/project/entry.ts';
import { projectFolder } from '../../support/system.ts';
import { problemsIn, projectOf } from './read.ts';

const file = (service: string, environment = '{}', top = ''): string =>
  `project: p\n${top}services:\n  api: { run: node a.js, health: /h, ${service} }\n  judge: { run: node j.js }\nenvironments:\n  production: ${environment}\n`;

const entryOf = async (service: string, environment?: string, top?: string) =>
  (await projectOf(file(service, environment, top), 'production')).environment.entry;

const said = async (service: string, environment?: string, top?: string): Promise<string[]> =>
  (await problemsIn(file(service, environment, top), 'production')).map(
    ({ code, path, message, hint }) => `${code} ${path} ${message} ${hint ?? ''}`,
  );

describe('who is let in', () => {
  test('is nobody’s business unless the file says so', async () => {
    expect(await entryOf('routes: [/]')).toBe(undefined);
  });

  test('is said of a service, of a route, and of an environment, with the defaults of a careful operator', async () => {
    const entry = await entryOf(
      `routes: [/, { path: /in, access: { basicAuth: { users: { anna: ANNA } } }, limits: { rate: 5/m } }, { path: /hook, access: { allow: 192.0.2.1, basicAuth: false }, limits: { body: false } }],
        access: { deny: [203.0.113.0/24], forwardAuth: { service: judge, headers: Remote-User } }, limits: { rate: { requests: 10, per: 1s, burst: 30, by: all }, body: 1Mi }, maintenance: true`,
      '{ trustedProxies: 10.0.0.0/8, accessLog: true, maintenance: { allow: ["::1"] } }',
      'secrets: [ANNA]\n',
    );
    const base = {
      ...OPEN,
      deny: ['203.0.113.0/24'],
      forwardAuth: { to: { service: 'judge', path: '/' }, headers: ['remote-user'], timeoutMs: 5000 },
      rate: { requests: 10, perMs: 1000, burst: 30, by: 'all' },
      maxBody: 1024 * 1024,
    };
    expect(entry).toEqual({
      trustedProxies: ['10.0.0.0/8'],
      accessLog: { sample: 0.1, slowMs: 1000, query: false },
      maintenance: { on: false, page: null, retryAfterMs: 300_000, allow: ['::1'] },
      pages: {},
      services: [
        {
          service: 'api',
          policy: base,
          routes: [
            {
              host: null,
              path: '/in',
              policy: {
                ...base,
                basicAuth: { realm: 'p', users: [{ name: 'anna', secret: 'ANNA' }], passOn: false },
                rate: { requests: 5, perMs: 60_000, burst: 5, by: 'client' },
              },
            },
            { host: null, path: '/hook', policy: { ...base, allow: ['192.0.2.1'], maxBody: null } },
          ],
          maintenance: { on: true, page: null, retryAfterMs: 300_000, allow: [] },
          pages: {},
        },
      ],
    });
  });

  test('is part of no release', async () => {
    const plain = await projectOf(file('routes: [/]'), 'production');
    const guarded = await projectOf(
      file('routes: [{ path: /, access: { allow: 10.0.0.1 } }], limits: { rate: 1/s }, errorPages: {}'),
      'production',
    );
    expect(guarded.services).toEqual(plain.services);
  });

  test('a service that judges is one that can be asked', async () => {
    const project = await projectOf(file('routes: [/], access: { forwardAuth: { service: judge } }'), 'production');
    expect(project.services.find(({ name }) => name === 'judge')?.kind).toBe('http');
  });

  test('cannot be said in ways that would let the wrong ones in', async () => {
    const routed = 'routes: [/]';
    const cases: [string[], RegExp][] = [
      [[`${routed}, access: { allow: 10.0.0.0/33 }`], /access\.allow.*network such as/],
      [[`${routed}, access: { allow: intranet }`], /network such as/],
      [[`${routed}, access: { basicAuth: { users: {} } }`], /at least one user/],
      [[`${routed}, access: { basicAuth: { users: { "a:b": A } } }`, '{}', 'secrets: [A]\n'], /cannot be a name here/],
      [[`${routed}, access: { basicAuth: { users: { anna: hunter2 } } }`], /never a password/],
      [
        [`${routed}, access: { basicAuth: { users: { anna: ANA } } }`, '{}', 'secrets: [ANNA]\n'],
        /did you mean "ANNA"/,
      ],
      [[`${routed}, access: { forwardAuth: { service: jugde } }`], /no service `jugde`.*did you mean "judge"/],
      [[`${routed}, access: { forwardAuth: { service: judge, url: "http://x/" } }`], /a `service` or a `url`/],
      [[`${routed}, access: { forwardAuth: {} }`], /a `service` or a `url`/],
      [[`${routed}, access: { forwardAuth: { url: "http://u:p@x/" } }`], /without user and password/],
      [[`${routed}, access: { forwardAuth: { service: judge, headers: Host } }`], /name of a header/],
      [[`${routed}, limits: { rate: lots }`], /rate such as 10\/s/],
      [[`${routed}, limits: { rate: 0/s }`], /rate such as/],
      [['limits: { rate: 1/s }'], /no route leads to `api`/],
      [[routed, '{ trustedProxies: 0.0.0.0/0 }'], /not everybody/],
      [[routed, '{ accessLog: { sample: 200% } }'], /share from 0% to 100%/],
      [[`${routed}, errorPages: { 500: a.html }`], /unknown key|500/],
    ];
    for (const [args, words] of cases) {
      const problems = await said(...(args as [string]));
      expect([args, problems.join('\n')]).toEqual([args, expect.stringMatching(words)]);
    }
    // Somebody who wrote the password itself does not see it again, on any screen.
    for (const password of ['hunter2', '"hunter 2!"', '1234567']) {
      const text = file(`${routed}, access: { basicAuth: { users: { anna: ${password} } } }`);
      const problems = await problemsIn(text, 'production');
      expect(problems.length).toBeGreaterThan(0);
      expect(JSON.stringify(problems)).not.toContain(password.replaceAll('"', ''));
    }
  });

  test('pages lie in the project, whatever leads out of it, and have an end', async () => {
    const root = projectFolder({ 'evenkeel.yaml': '', 'ok.html': 'x', 'large.html': 'x'.repeat(300 * 1024) });
    symlinkSync('/etc/hostname', join(root, 'link.html'));
    const complaints = async (page: string): Promise<string> => {
      const result = await readProject(file(`routes: [/], errorPages: { 404: ${page} }`), root, {
        environment: 'production',
        processEnv: {},
      });
      return result.ok ? '' : result.problems.map(({ path, message }) => `${path} ${message}`).join('\n');
    };
    expect(await complaints('ok.html')).toBe('');
    expect(await complaints('none.html')).toBe('services.api.errorPages.404 none.html does not exist');
    for (const page of ['../../../../../../etc/hostname', '/etc/hostname', 'link.html'])
      expect(await complaints(page)).toContain('lies outside of the project');
    expect(await complaints('large.html')).toContain('larger than 256 KiB');
  });
});
