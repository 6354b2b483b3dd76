import { describe, expect, test } from 'vitest';

import { problemsIn, projectOf, read, serviceOf } from './read.ts';

const CHAT = `
project: chat
services:
  api:
    build: npm ci && npm run build
    run: node dist/main.js
    migrate: npm run migrate
    health: /api/health
    routes: [/api]
    instances: 2
    resources: { memory: 512Mi, cpu: 1 }
    data: [storage]
  ws:   { run: node dist/ws.js, routes: [/ws], after: [api], env: { API: "\${services.api.url}" } }
  web:  { static: dist/web, routes: [/] }
  mail: { run: node dist/worker.js }
databases:
  main: { engine: postgres, version: 15, url: "postgres://app:\${DB_PASSWORD}@db.internal/\${DB_NAME:-chat}" }
secrets: [DB_PASSWORD]
environments:
  staging: { domain: staging.chat.example }
  production:
    domain: chat.example
    approve: { people: 1 }
    rollout:
      canary: [{ weight: 10, for: 10m }, { weight: 50, for: 5m }]
      analysis: { errorRate: "< 1%", p95: "< 1s" }
      rollbackWindow: 1h
`;

const one = (keys: string, rest = ''): string => `project: p\nservices:\n  api: { run: a, ${keys} }\n${rest}`;

describe('a whole system', () => {
  test('is read for production', async () => {
    const project = await projectOf(CHAT, 'production');
    expect(project.environment).toEqual({
      name: 'production',
      domain: 'chat.example',
      port: 8080,
      bind: '0.0.0.0',
      approve: { people: 1 },
    });
    expect(project.services.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'api http',
      'ws http',
      'web static',
      'mail worker',
    ]);
    const [api, ws] = project.services;
    expect(api).toMatchObject({
      routes: [{ host: 'chat.example', path: '/api' }],
      instances: 2,
      resources: { memory: 512 * 2 ** 20, cpu: 1 },
      data: ['storage'],
      env: { DATABASE_URL: ['postgres://app:', { secret: 'DB_PASSWORD' }, '@db.internal/chat'] },
    });
    expect(ws?.env['API']).toEqual([{ serviceUrl: 'api' }]);
    expect(project.secrets).toEqual(['DB_PASSWORD']);
  });

  test('warns where production would trust an accepted connection, and only there', async () => {
    const warnings = await problemsIn(CHAT, 'production');
    expect(warnings.map(({ code, path, severity }) => [code, path, severity])).toEqual([
      ['weak-health', 'services.ws', 'warning'],
    ]);
    expect(await problemsIn(CHAT)).toEqual([]);
  });

  test('starts services in the order in which they wait, otherwise as written', async () => {
    const { services } = await projectOf(
      'project: p\nservices:\n  d: { run: d, after: [c, a] }\n  a: { run: a }\n  b: { run: b }\n  c: { run: c, after: b }\n',
    );
    expect(services.map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd']);
  });
});

test('what the whole design asks for and this version cannot do is refused in those words, and nothing else', async () => {
  const problems = await problemsIn(
    CHAT.replace(
      /databases:\n.*\n/,
      'databases: { main: { engine: postgres, version: 15 } }\nexternal: { model: { http: "https://m.example" } }\n',
    ).replace('  mail:', '  tidy: { run: node tidy.js, schedule: "0 3 * * *" }\n  mail:'),
  );
  expect(problems.map(({ code, path }) => [code, path])).toEqual([
    ['not-available', 'databases.main'],
    ['not-available', 'external'],
  ]);
});

test('the environments of a file are listed', async () => {
  const result = await read(CHAT);
  expect(result.ok && result.environments).toEqual(['development', 'production', 'staging']);
});

describe('defaults', () => {
  test('production judges, waits and asks a person', async () => {
    const { rollout, stopGraceMs } = await serviceOf(one('routes: /'), 'production');
    expect(rollout).toEqual({
      canary: [
        { weight: 10, forMs: 600_000 },
        { weight: 50, forMs: 300_000 },
      ],
      analysis: { errorRate: 0.01, p95Ms: 1000, minRequests: null },
      onInconclusive: 'pause',
      rollbackWindowMs: 3_600_000,
      holdback: 0,
      drainMs: 30_000,
      deadlines: {
        buildingMs: 1_200_000,
        startingMs: 300_000,
        migratingMs: 900_000,
        verifyingMs: 300_000,
        promotingMs: 300_000,
      },
      pauseMs: 86_400_000,
      keepReleases: 5,
      keepFailed: false,
    });
    expect(stopGraceMs).toBe(30_000);
  });

  test('an environment with a name of its own is as careful as production', async () => {
    const file = one('routes: /', 'environments: { live: }\n');
    expect(await serviceOf(file, 'live')).toEqual(await serviceOf(file, 'production'));
  });

  test('development and staging ship without a canary', async () => {
    const file = one('routes: /', 'environments: { staging: {} }\n');
    for (const environment of ['development', 'staging']) {
      const { rollout } = await serviceOf(file, environment);
      expect(rollout).toMatchObject({ canary: [], onInconclusive: 'promote' });
    }
  });

  test('what cannot run twice has no canary, and a short drain, wherever it runs', async () => {
    const file = one('overlap: false, routes: /');
    const { overlap, instances, rollout } = await serviceOf(file, 'production');
    expect({ overlap, instances, canary: rollout.canary, drainMs: rollout.drainMs }).toEqual({
      overlap: false,
      instances: 1,
      canary: [],
      drainMs: 3_000,
    });
    expect(await serviceOf(one('overlap: true, routes: /'))).not.toHaveProperty('overlap');
  });

  test('a schedule', async () => {
    const read = async (schedule: string) => (await serviceOf(one(`schedule: ${schedule}`))).schedule;
    const hour = 3_600_000;
    const plain = { at: ['0 3 * * *'], timeZone: 'UTC', lateMs: hour, deadlineMs: 6 * hour };
    expect(await read('"0  3 * * *"')).toEqual(plain);
    expect(await read('["0 3 * * *", "@hourly"]')).toEqual({ ...plain, at: ['0 3 * * *', '@hourly'] });
    expect(await read('{ at: "0 3 * * *", timeZone: Europe/Berlin, late: 5m, deadline: 1h }')).toEqual({
      at: ['0 3 * * *'],
      timeZone: 'Europe/Berlin',
      lateMs: 300_000,
      deadlineMs: hour,
    });
    expect(await serviceOf(one('routes: /'))).not.toHaveProperty('schedule');
  });

  test('development listens for this machine only', async () => {
    expect((await projectOf(one('routes: /'))).environment).toMatchObject({ bind: '127.0.0.1', port: 8080 });
    expect((await projectOf(one('routes: /'), 'production')).environment.bind).toBe('0.0.0.0');
    const bound = one('routes: /', 'port: 80\nbind: 10.0.0.1\nenvironments: { production: { port: 443 } }\n');
    expect((await projectOf(bound, 'production')).environment).toMatchObject({ bind: '10.0.0.1', port: 443 });
  });

  test('health', async () => {
    const times = { graceMs: 10_000, deadlineMs: 60_000, intervalMs: 2000, timeoutMs: 5000 };
    expect((await serviceOf(one('routes: /'))).health).toEqual({ path: null, ...times });
    expect((await serviceOf(one('health: "/up?full=1"'))).health).toEqual({ path: '/up?full=1', ...times });
    expect((await serviceOf(one('health: false'))).health.path).toBeNull();
    const slow = await serviceOf(one('health: { deadline: 10m }'));
    expect(slow.health.deadlineMs).toBe(600_000);
    expect(slow.rollout.deadlines.startingMs).toBe(660_000);
  });
});

describe('short and long forms', () => {
  test('routes', async () => {
    const { routes } = await serviceOf(
      one('routes: [/, /api/, "API.Example.com", bücher.example/v1, { host: a.example, path: /x }, { path: /y }]'),
    );
    expect(routes).toEqual([
      { host: null, path: '/' },
      { host: null, path: '/api' },
      { host: 'api.example.com', path: '/' },
      { host: 'xn--bcher-kva.example', path: '/v1' },
      { host: 'a.example', path: '/x' },
      { host: null, path: '/y' },
    ]);
  });

  test('smoke', async () => {
    const { smoke } = await serviceOf(
      one('routes: /, smoke: [/up, ./check.sh, { path: /a, method: POST, status: 201, body: ok }, { run: /bin/true }]'),
    );
    expect(smoke).toEqual([
      { kind: 'http', method: 'GET', path: '/up', status: 200, bodyIncludes: null },
      { kind: 'command', command: './check.sh' },
      { kind: 'http', method: 'POST', path: '/a', status: 201, bodyIncludes: 'ok' },
      { kind: 'command', command: '/bin/true' },
    ]);
  });

  test('static, canary, limits, instances', async () => {
    const file = 'project: p\nservices: { web: { static: { dir: ./dist/, spa: true } } }\n';
    expect((await serviceOf(file)).static).toEqual({ dir: 'dist', spa: true });
    const long = one('routes: /, instances: { min: 3, max: 3 }, rollout: { canary: false, analysis: { p95: 250ms } }');
    expect(await serviceOf(long, 'production')).toMatchObject({
      instances: 3,
      rollout: { canary: [], analysis: { errorRate: 0.01, p95Ms: 250, minRequests: null } },
    });
    const few = one('routes: /, rollout: { analysis: { minRequests: 20 } }');
    expect((await serviceOf(few)).rollout.analysis).toEqual({ errorRate: 0.01, p95Ms: 1000, minRequests: 20 });
    const percents = one('routes: /, rollout: { canary: [{ weight: 5%, for: 1m }], holdback: 1% }');
    expect((await serviceOf(percents)).rollout).toMatchObject({ canary: [{ weight: 5 }], holdback: 1 });
  });

  test('a service that others ask is http without routes of its own', async () => {
    const { services } = await projectOf(one('env: { M: "${services.model.url}/v1" }', '  model: { run: m }\n'));
    expect(services.map(({ kind }) => kind)).toEqual(['worker', 'http']);
    expect(services[0]?.env['M']).toEqual([{ serviceUrl: 'model' }, '/v1']);
  });
});

describe('environments', () => {
  const file = `
project: p
services:
  api:
    run: a
    routes: /
    health: /up
    env: { A: service, B: service, C: service }
    rollout: { drain: 1m, rollbackWindow: 5m }
    build: b
databases: { other: { url: "mysql://db" }, main: { url: "postgres://db" } }
environments:
  production:
    env: { B: environment, C: environment }
    rollout: { drain: 2m }
    services:
      api: { env: { C: override, DATABASE_URL: mine }, health: { interval: 9s }, build: null, instances: 4 }
`;

  test('say the last word, for all services and then for one', async () => {
    const service = await serviceOf(file, 'production');
    expect(service.env).toEqual({
      A: ['service'],
      B: ['environment'],
      C: ['override'],
      DATABASE_URL: ['mine'],
      OTHER_DATABASE_URL: ['mysql://db'],
    });
    expect(service.rollout).toMatchObject({ drainMs: 120_000, rollbackWindowMs: 300_000 });
    expect(service.health).toMatchObject({ path: '/up', intervalMs: 9000 });
    expect(service).toMatchObject({ build: null, instances: 4 });
  });

  test('leave the others alone', async () => {
    expect(await serviceOf(file)).toMatchObject({
      env: { A: ['service'], B: ['service'], C: ['service'], DATABASE_URL: ['postgres://db'] },
      build: 'b',
      instances: 1,
    });
  });

  test('need no variables of one another', async () => {
    const guarded = one('routes: /', 'environments: { production: { port: "${P}", env: { A: "${Q}" } } }\n');
    expect((await read(guarded)).ok).toBe(true);
    expect((await read(guarded, 'production')).ok).toBe(false);
    expect((await projectOf(guarded, 'production', { P: '443', Q: 'q' })).environment.port).toBe(443);
  });
});

describe('variables', () => {
  test('fill any value', async () => {
    const file = one('instances: "${N}", timeout: "${T:-5s}", routes: "/${R}", keepFailed: "${K}"');
    expect(await serviceOf(file, 'development', { N: '3', R: 'x', K: 'true' })).toMatchObject({
      instances: 3,
      timeoutMs: 5000,
      routes: [{ path: '/x' }],
      rollout: { keepFailed: true },
    });
  });

  test('a default counts for an unset and for an empty variable', async () => {
    const file = one('env: { A: "${A:-x}", B: "${B:-x}", C: "${C}", D: "${D:-}" }');
    const { env } = await serviceOf(file, 'development', { A: '', C: '' });
    expect(env).toEqual({ A: ['x'], B: ['x'], C: [''], D: [''] });
  });

  test('what came from the environment is text, whatever it looks like', async () => {
    const file = one('env: { A: "${A}", B: "$${A} $A $$ ${A}" }', 'secrets: [S]\n');
    const { env } = await serviceOf(file, 'development', { A: '${S} ${services.api.url} $${' });
    expect(env).toEqual({ A: ['${S} ${services.api.url} $${'], B: ['${A} $A $$ ${S} ${services.api.url} $${'] });
  });

  test('secrets and ports stay references, even when the environment has something of that name', async () => {
    const file = one('env: { A: "k=${S};p=${PORT}" }', 'secrets: [S]\n');
    const { env } = await serviceOf(file, 'development', { S: 'leak', PORT: '1' });
    expect(env).toEqual({ A: ['k=', { secret: 'S' }, ';p=', { port: true }] });
  });

  test('$PORT in a command is left to the shell', async () => {
    const { run } = await serviceOf(
      'project: p\nservices: { a: { run: "x $PORT ${PORT} ${PORT:-80} ${X}" } }\n',
      'development',
      {
        PORT: '1',
        X: 'y',
      },
    );
    expect(run).toBe('x $PORT ${PORT} ${PORT:-80} y');
  });

  test('numbers in env are what was written', async () => {
    const { env } = await serviceOf(one('env: { A: 1.10, B: 007, C: 1e3, D: true, E: 0x10, F: "" }'));
    expect(env).toEqual({ A: ['1.10'], B: ['007'], C: ['1e3'], D: ['true'], E: ['0x10'], F: [''] });
  });

  test('the url of a database can be used in a value of ones own', async () => {
    const file = one(
      'env: { D: "${databases.main.url}?pool=5" }',
      'databases: { main: { url: "pg://${P}@h" } }\nsecrets: [P]\n',
    );
    expect((await serviceOf(file)).env['D']).toEqual(['pg://', { secret: 'P' }, '@h?pool=5']);
  });
});

describe('the text of the file', () => {
  test('may begin with a byte order mark and end its lines in any way', async () => {
    const text = `\uFEFF${CHAT.trimStart().replaceAll('\n', '\r\n')}`;
    expect(await projectOf(text, 'production')).toEqual(await projectOf(CHAT, 'production'));
  });

  test('may use anchors and merge keys', async () => {
    const { services } = await projectOf(
      'project: p\nservices:\n  a: &base { run: a, env: &env { X: 1 }, timeout: 3s }\n  b: { <<: *base, run: b, env: { <<: *env, Y: 2 } }\n',
    );
    expect(services[1]).toMatchObject({ name: 'b', run: 'b', timeoutMs: 3000, env: { X: ['1'], Y: ['2'] } });
  });
});

describe('TLS', () => {
  const tls = (keys: string): string =>
    `project: p\nservices:\n  api: { run: a, routes: [/] }\nenvironments:\n  production:\n    port: 80\n    tls: { ${keys} }\n`;

  test('has defaults, and files relative to evenkeel.yaml', async () => {
    const { environment } = await projectOf(tls('cert: tls/a.crt, key: /etc/a.key'), 'production');
    expect(environment.tls).toEqual({
      port: 8443,
      certificates: [{ cert: '/nonexistent/project/tls/a.crt', key: '/etc/a.key' }],
      redirect: true,
      hsts: 'off',
    });
    expect((await projectOf(tls('cert: a, key: b'))).environment.tls).toBe(undefined);
  });

  test('takes more certificates, and what browsers are to be told', async () => {
    const keys = 'cert: /a, key: /b, others: [{ cert: /c, key: /d }], port: 443, redirect: false, hsts: ';
    const expected = {
      port: 443,
      redirect: false,
      certificates: [
        { cert: '/a', key: '/b' },
        { cert: '/c', key: '/d' },
      ],
    };
    for (const [written, hsts] of [
      ['true', 'on'],
      ['false', 'off'],
      ['preload', 'preload'],
    ])
      expect((await projectOf(tls(keys + written), 'production')).environment.tls).toEqual({ ...expected, hsts });
  });

  const problems = async (keys: string, text = tls(keys)) =>
    (await problemsIn(text, 'production')).flatMap(({ severity, code, path, line }) =>
      severity === 'error' ? [[code, path, line]] : [],
    );

  test('by ACME needs one word', async () => {
    const acme = (value: string, routes = '[/, www.chat.org/]'): string =>
      `project: p\nservices:\n  api: { run: a, routes: ${routes} }\nenvironments:\n  production:\n    domain: chat.org\n    tls: ${value}\n`;
    const directory = 'https://acme-v02.api.letsencrypt.org/directory';
    const standard = { directory, email: null, ca: null, challenge: null };
    const simple = { port: 8443, certificates: [], redirect: true, hsts: 'off', acme: standard };
    for (const written of ['acme', '{ acme: true }', '{ acme: {} }', '{ acme: { directory: letsencrypt } }'])
      expect((await projectOf(acme(written), 'production')).environment.tls, written).toEqual(simple);
    const own =
      '{ acme: { email: a@chat.org, directory: "https://ca.lan/acme", ca: ca.pem, challenge: http-01 }, port: 443 }';
    expect((await projectOf(acme(own), 'production')).environment.tls).toEqual({
      ...simple,
      port: 443,
      acme: {
        directory: 'https://ca.lan/acme',
        email: 'a@chat.org',
        ca: '/nonexistent/project/ca.pem',
        challenge: 'http-01',
      },
    });
    const at = 'environments.production.tls';
    const wrong = async (value: string, routes?: string) => problems('', acme(value, routes));
    expect(await wrong('{ acme: true, cert: a, key: b }')).toEqual([
      ['contradiction', `${at}.cert`, 7],
      ['contradiction', `${at}.key`, 7],
    ]);
    expect(await wrong('{ acme: { directory: "http://ca.lan/acme" } }')).toEqual([
      ['bad-value', `${at}.acme.directory`, 7],
    ]);
    expect(await wrong('{ acme: { challenge: dns-01 } }')).toEqual([['bad-value', `${at}.acme.challenge`, 7]]);
    // Names that no public issuer vouches for; one of one's own may.
    expect(await wrong('acme', '[chat.local/]')).toEqual([['contradiction', at, 7]]);
    expect(await wrong('{ acme: true }', '[192.0.2.7/]')).toEqual([['contradiction', `${at}.acme`, 7]]);
    expect(await wrong('{ acme: { directory: "https://ca.lan/acme" } }', '[chat.local/]')).toEqual([]);
    expect(await problems('acme: true')).toEqual([['contradiction', `${at}.acme`, 7]]);
  });

  test('needs a key with each certificate, and a port of its own', async () => {
    expect(await problems('cert: /a')).toEqual([['missing-key', 'environments.production.tls.key', 7]]);
    expect(await problems('cert: /a, key: /b, port: 80')).toEqual([
      ['contradiction', 'environments.production.tls.port', 7],
    ]);
    expect(await problems('cert: /a, key: /b, hsts: always')).toEqual([
      ['wrong-type', 'environments.production.tls.hsts', 7],
    ]);
  });
});
