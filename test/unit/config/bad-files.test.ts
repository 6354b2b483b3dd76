import { describe, expect, test } from 'vitest';

import type { ProblemCode } from '../../../src/config/problem.ts';
import { problemsIn } from './read.ts';

/** `line:column code path`, and words that the message or the hint must hold. */
interface Case {
  name: string;
  yaml: string;
  environment?: string;
  variables?: Record<string, string>;
  expect: [place: string, code: ProblemCode, path: string, words: string][];
}

const service = (keys: string): string => `project: p\nservices:\n  api:\n    run: node main.js\n${keys}`;
const first = (keys: string): string => `project: p\nservices:\n  api: ${keys}\n`;

const cases: Case[] = [
  // The text itself
  { name: 'empty', yaml: '', expect: [['1:1', 'syntax', '', 'empty']] },
  { name: 'comments only', yaml: '# soon\n', expect: [['1:1', 'syntax', '', 'empty']] },
  { name: 'a list at the top', yaml: '- a\n', expect: [['1:1', 'wrong-type', '', 'keys and values at the top']] },
  {
    name: 'the command by the name that other tools have for it',
    yaml: first('{ comand: node main.js }'),
    expect: [
      ['3:8', 'missing-key', 'services.api', 'run'],
      ['3:10', 'unknown-key', 'services.api.comand', 'did you mean "run"?'],
    ],
  },
  {
    name: 'the beginning of an environment',
    yaml: `${service('')}environments: { production: {} }\n`,
    environment: 'prod',
    expect: [['5:1', 'unknown-environment', 'environments', 'did you mean "production"?']],
  },
  { name: 'a tab', yaml: 'project: p\nservices:\n\tapi: 1\n', expect: [['3:1', 'syntax', '', 'indent with spaces']] },
  { name: 'an open quote', yaml: 'project: "p\n', expect: [['1:10', 'syntax', '', 'not closed']] },
  { name: 'two colons', yaml: 'project: a: b\n', expect: [['1:10', 'syntax', '', 'quotes']] },
  {
    name: 'a line that is indented too far, once',
    yaml: 'project: p\nservices:\n  api:\n  run: node main.js\n   routes: [/]\n',
    expect: [['4:8', 'syntax', '', 'correct the indentation']],
  },
  { name: 'no services', yaml: 'project: p\nservices: {}\n', expect: [['2:11', 'bad-value', 'services', 'got none']] },
  {
    name: 'what is not available yet, without asking for the rest of it',
    yaml: `${service('')}backups: { main: {} }\n`,
    expect: [['5:1', 'not-available', 'backups', 'keep the backups that you have']],
  },
  { name: 'two documents', yaml: 'project: p\n---\na: 1\n', expect: [['2:1', 'syntax', '', 'more than one document']] },
  {
    name: 'a key twice',
    yaml: 'project: p\nservices:\n  api: { run: a }\n  api: { run: b }\n',
    expect: [['4:3', 'duplicate-key', 'services.api', 'the first is on line 3']],
  },
  { name: 'a tag', yaml: 'project: !name p\n', expect: [['1:10', 'syntax', '', 'unknown tag']] },
  {
    name: 'an alias of nothing',
    yaml: first('{ run: *start }'),
    expect: [['3:15', 'syntax', 'services.api.run', '&start']],
  },
  {
    name: 'an alias in itself',
    yaml: 'project: p\nservices: &all\n  api: { run: a, env: *all }\n',
    expect: [['3:23', 'syntax', 'services.api.env', 'contains itself']],
  },
  {
    name: 'a merge of text',
    yaml: 'project: p\nservices:\n  api:\n    <<: text\n    run: a\n',
    expect: [['4:5', 'wrong-type', 'services.api', '`<<` merges']],
  },
  {
    name: '__proto__',
    yaml: `${first('{ run: a }')}__proto__: 1\n`,
    expect: [['4:1', 'bad-name', '__proto__', 'key']],
  },

  // Keys and types
  {
    name: 'no project',
    yaml: 'services: { api: { run: a } }\n',
    expect: [['1:1', 'missing-key', 'project', 'missing']],
  },
  {
    name: 'no services',
    yaml: 'project: p\nservices: {}\n',
    expect: [['2:11', 'bad-value', 'services', 'at least one']],
  },
  {
    name: 'services is nothing',
    yaml: 'project: p\nservices:\n',
    expect: [['2:10', 'wrong-type', 'services', 'nothing']],
  },
  {
    name: 'a misspelt key is one mistake',
    yaml: 'projet: p\nservices: { api: { run: a } }\n',
    expect: [['1:1', 'unknown-key', 'projet', 'did you mean "project"?']],
  },
  {
    name: 'helth',
    yaml: service('    helth: /x\n'),
    expect: [['5:5', 'unknown-key', 'services.api.helth', '"health"']],
  },
  {
    name: 'an unknown key deep inside',
    yaml: service('    health: { path: /h, intervall: 3s }\n'),
    expect: [['5:25', 'unknown-key', 'services.api.health.intervall', '"interval"']],
  },
  {
    name: 'snake case',
    yaml: service('    rollout: { rollback_window: 1h }\n'),
    expect: [['5:16', 'unknown-key', 'services.api.rollout.rollback_window', '"rollbackWindow"']],
  },
  {
    name: 'a service name',
    yaml: 'project: p\nservices:\n  My_Api: { run: a }\n',
    expect: [['3:3', 'bad-name', 'services.My_Api', 'name']],
  },
  {
    name: 'no unit',
    yaml: service('    timeout: 30\n'),
    expect: [['5:14', 'wrong-type', 'services.api.timeout', '30s']],
  },
  {
    name: 'a duration of words',
    yaml: service('    timeout: a while\n'),
    expect: [['5:14', 'bad-value', 'services.api.timeout', 'got "a while"']],
  },
  {
    name: 'a size without unit',
    yaml: service('    resources: { memory: 512 }\n'),
    expect: [['5:26', 'wrong-type', 'services.api.resources.memory', '512Mi']],
  },
  {
    name: 'instances',
    yaml: service('    instances: 0\n'),
    expect: [['5:16', 'bad-value', 'services.api.instances', '1 to 100']],
  },
  {
    name: 'half an instance',
    yaml: service('    instances: 1.5\n'),
    expect: [['5:16', 'wrong-type', 'services.api.instances', '1.5']],
  },
  {
    name: 'an empty command',
    yaml: first('{ run: "" }'),
    expect: [['3:15', 'bad-value', 'services.api.run', 'not empty']],
  },
  {
    name: 'a folder outside',
    yaml: service('    data: [../x]\n'),
    expect: [['5:12', 'bad-value', 'services.api.data.0', 'inside']],
  },
  {
    name: 'an absolute folder',
    yaml: first('{ static: /var/www }'),
    expect: [['3:18', 'bad-value', 'services.api.static', 'inside']],
  },
  {
    name: 'nothing in env',
    yaml: service('    env: { A: }\n'),
    expect: [['5:15', 'wrong-type', 'services.api.env.A', 'got nothing']],
  },
  {
    name: 'a variable name',
    yaml: service('    env: { a-b: 1 }\n'),
    expect: [['5:12', 'bad-name', 'services.api.env.a-b', 'letters']],
  },
  {
    name: 'an error rate',
    yaml: service('    rollout: { analysis: { errorRate: few } }\n'),
    expect: [['5:39', 'bad-value', 'services.api.rollout.analysis.errorRate', '"< 1%"']],
  },
  {
    name: 'a canary step without time',
    yaml: service('    routes: [/]\n    rollout: { canary: [{ weight: 10 }] }\n'),
    expect: [['6:25', 'missing-key', 'services.api.rollout.canary.0.for', 'missing']],
  },
  {
    name: 'an external url',
    yaml: `${first('{ run: a }')}external: { m: { http: nope } }\n`,
    expect: [
      ['4:1', 'not-available', 'external', 'not available'],
      ['4:24', 'bad-value', 'external.m.http', 'https://'],
    ],
  },

  // Routes
  {
    name: 'a wildcard',
    yaml: service('    routes: /api/*\n'),
    expect: [['5:13', 'bad-value', 'services.api.routes', '`/api`']],
  },
  {
    name: 'a scheme',
    yaml: service('    routes: ["https://a.example"]\n'),
    expect: [['5:14', 'bad-value', 'services.api.routes.0', '`a.example`']],
  },
  {
    name: 'a path without slash',
    yaml: service('    routes: [api]\n'),
    expect: [['5:14', 'bad-value', 'services.api.routes.0', '`/api`']],
  },
  {
    name: 'a host with port',
    yaml: service('    routes: ["a.example:80/x"]\n'),
    expect: [['5:14', 'bad-value', 'services.api.routes.0', 'port']],
  },
  {
    name: 'a route twice',
    yaml: 'project: p\nservices:\n  a: { run: a, routes: [/x, /x/] }\n  b: { run: b, routes: [/x] }\n',
    expect: [
      ['3:29', 'duplicate-route', 'services.a.routes.1', 'twice'],
      ['4:25', 'duplicate-route', 'services.b.routes.0', '`a` (line 3)'],
    ],
  },
  {
    name: 'the same route by the domain',
    yaml: 'project: p\nservices:\n  a: { run: a, health: false, routes: [/x] }\n  b: { run: b, health: false, routes: [C.example/x] }\nenvironments:\n  production: { domain: c.example }\n',
    environment: 'production',
    expect: [['4:40', 'duplicate-route', 'services.b.routes.0', '`c.example/x`']],
  },

  // References
  {
    name: 'after nobody',
    yaml: service('    after: [wep]\n  web: { run: b }\n'),
    expect: [['5:13', 'unknown-reference', 'services.api.after.0', '"web"']],
  },
  {
    name: 'after itself',
    yaml: service('    after: api\n'),
    expect: [['5:12', 'cycle', 'services.api.after', 'itself']],
  },
  {
    name: 'a circle',
    yaml: 'project: p\nservices:\n  a: { run: a, after: [b] }\n  b: { run: b, after: [c] }\n  c: { run: c, after: [a] }\n',
    expect: [['3:23', 'cycle', 'services.a.after', 'a -> b -> c -> a']],
  },
  {
    name: 'an override of nobody',
    yaml: `${first('{ run: a }')}environments: { staging: { services: { ap: { run: b } } } }\n`,
    expect: [['4:40', 'unknown-reference', 'environments.staging.services.ap', '"api"']],
  },
  {
    name: 'the url of nobody',
    yaml: service('    env: { A: "${services.db.url}", B: "${databases.main.url}" }\n'),
    expect: [
      ['5:15', 'unknown-reference', 'services.api.env.A', 'no service `db`'],
      ['5:40', 'unknown-reference', 'services.api.env.B', 'no database `main`'],
    ],
  },
  {
    name: 'the url of static files',
    yaml: service('    env: { A: "${services.web.url}" }\n  web: { static: dist }\n'),
    expect: [['5:15', 'unknown-reference', 'services.api.env.A', 'static']],
  },
  {
    name: 'an unknown environment',
    yaml: first('{ run: a }'),
    environment: 'prod',
    expect: [['1:1', 'unknown-environment', 'environments', 'no environment `prod`']],
  },
  {
    name: 'an unknown environment, and nothing of what it lacks besides',
    yaml: first('{ run: a, env: { A: "${NOT_SET_ANYWHERE}" } }'),
    environment: 'prod',
    expect: [['1:1', 'unknown-environment', 'environments', 'no environment `prod`']],
  },
  {
    name: 'an environment that is a path',
    yaml: first('{ run: a }'),
    environment: '../x',
    expect: [['1:1', 'unknown-environment', 'environments', 'no environment']],
  },

  // Contradictions
  {
    name: 'nothing to run',
    yaml: first('{ routes: [/] }'),
    expect: [['3:8', 'missing-key', 'services.api', 'neither `run` nor `static`']],
  },
  {
    name: 'both',
    yaml: first('{ run: a, static: dist }'),
    expect: [['3:10', 'contradiction', 'services.api.run', 'static files']],
  },
  {
    name: 'PORT',
    yaml: service('    env: { PORT: 3000 }\n'),
    expect: [['5:12', 'contradiction', 'services.api.env.PORT', '$PORT']],
  },
  {
    name: 'check with routes',
    yaml: service('    routes: /\n    check: ./ok\n'),
    expect: [['6:5', 'contradiction', 'services.api.check', '`smoke`']],
  },
  {
    name: 'smoke of a worker',
    yaml: service('    smoke: /health\n'),
    expect: [['5:5', 'contradiction', 'services.api.smoke', '`routes`']],
  },
  {
    name: 'public without routes',
    yaml: service('    public: true\n'),
    expect: [['5:5', 'contradiction', 'services.api.public', '`routes`']],
  },
  {
    name: 'grace beyond deadline',
    yaml: service('    health: { path: /h, grace: 2m }\n'),
    expect: [['5:25', 'contradiction', 'services.api.health.grace', '`deadline`']],
  },
  {
    name: 'start before healthy',
    yaml: service('    health: { deadline: 5m }\n    rollout: { deadlines: { start: 1m } }\n'),
    expect: [['6:29', 'contradiction', 'services.api.rollout.deadlines.start', '`health`']],
  },
  {
    name: 'falling weights',
    yaml: service('    routes: /\n    rollout: { canary: [{ weight: 50, for: 1m }, { weight: 10, for: 1m }] }\n'),
    expect: [['6:52', 'contradiction', 'services.api.rollout.canary.1.weight', 'rise']],
  },
  {
    name: 'a canary of a worker',
    yaml: service('    rollout: { canary: [{ weight: 50, for: 1m }] }\n'),
    expect: [['5:16', 'contradiction', 'services.api.rollout.canary', 'no routes']],
  },
  {
    name: 'a canary that nothing judges',
    yaml: service('    routes: /\n    health: /\n    rollout: { analysis: { errorRate: false, p95: false } }\n'),
    environment: 'production',
    expect: [['7:16', 'contradiction', 'services.api.rollout.analysis', 'both are off']],
  },
  {
    name: 'keepFailed twice',
    yaml: service('    keepFailed: true\n    rollout: { keepFailed: false }\n'),
    expect: [['5:5', 'contradiction', 'services.api.keepFailed', 'different']],
  },
  ...[
    [
      'routes: /\n    rollout: { canary: [{ weight: 10, for: 1m }] }',
      '7:16',
      'rollout.canary',
      'no sessions can be shared',
    ],
    ['rollout: { holdback: 1% }', '6:16', 'rollout.holdback', 'no session can stay'],
    ['keepFailed: true', '6:5', 'keepFailed', 'cannot stay beside'],
    ['instances: 2', '6:5', 'instances', 'so it has one instance'],
  ].map(([keys = '', place = '', path = '', said = '']): Case => ({
    name: `what cannot run twice: ${path}`,
    yaml: service(`    overlap: false\n    ${keys}\n`),
    expect: [[place, 'contradiction', `services.api.${path}`, said]],
  })),
  ...[
    ['"0 3 * *"', '5:15', '', 'has 4 fields'],
    ['"61 3 * * *"', '5:15', '', 'cannot be read'],
    ['"0 3 30 2 *"', '5:15', '', 'never comes'],
    ['"* * * * * *"', '5:15', '', 'has 6 fields'],
    ['{ at: "0 3 * * *", timeZone: Europe/Berln }', '5:44', '.timeZone', 'time zone'],
  ].map(([schedule = '', place = '', path = '', words = '']): Case => ({
    name: `a schedule: ${schedule}`,
    yaml: service(`    schedule: ${schedule}\n`),
    expect: [[place, 'bad-value', `services.api.schedule${path}`, words]],
  })),
  {
    name: 'fewer instances at most than at least',
    yaml: service('    instances: { min: 3, max: 2 }\n'),
    expect: [['5:26', 'contradiction', 'services.api.instances.max', 'less than']],
  },
  ...['routes: /', 'health: /health', 'instances: 2', 'smoke: test', 'overlap: false'].map((keys): Case => ({
    name: `a schedule with ${keys}`,
    yaml: service(`    schedule: "@daily"\n    ${keys}\n`),
    expect: [['6:5', 'contradiction', `services.api.${keys.split(':')[0]}`, 'run all the time']],
  })),
  {
    name: 'what cannot run twice in production only, with a canary of its own there',
    yaml: `${first('{ run: a, routes: / }')}environments: { production: { services: { api: { overlap: false, rollout: { canary: [{ weight: 10, for: 1m }] } } } } }\n`,
    environment: 'production',
    expect: [
      ['4:77', 'contradiction', 'environments.production.services.api.rollout.canary', 'no sessions can be shared'],
    ],
  },
  {
    name: 'a holdback without window',
    yaml: service('    rollout: { holdback: 1%, rollbackWindow: 0 }\n'),
    expect: [['5:16', 'contradiction', 'services.api.rollout.holdback', 'rollbackWindow']],
  },
  {
    name: 'data is everything',
    yaml: service('    data: .\n'),
    expect: [['5:11', 'contradiction', 'services.api.data', 'name the folder']],
  },
  {
    name: 'data in data',
    yaml: service('    data: [a, a/b]\n'),
    expect: [['5:15', 'contradiction', 'services.api.data.1', 'inside `a`']],
  },

  // Variables
  {
    name: 'unset',
    yaml: service('    env: { A: "${NOPE}" }\n'),
    expect: [['5:15', 'unset-variable', 'services.api.env.A', '.env.development (not there)']],
  },
  {
    name: 'unset in a command',
    yaml: first('{ run: "a ${NOPE}" }'),
    expect: [['3:15', 'unset-variable', 'services.api.run', '${NOPE}']],
  },
  {
    name: 'unset, in the chosen environment',
    yaml: `${first('{ run: a }')}environments: { staging: { port: "\${P}" } }\n`,
    environment: 'staging',
    expect: [['4:34', 'unset-variable', 'environments.staging.port', '${P}']],
  },
  {
    name: 'a filled value of the wrong type',
    yaml: service('    instances: ${N}\n'),
    variables: { N: 'hunter2' },
    expect: [['5:16', 'wrong-type', 'services.api.instances', 'the value of ${N}']],
  },
  {
    name: 'no end',
    yaml: service('    env: { A: "${B" }\n'),
    expect: [['5:15', 'bad-variable', 'services.api.env.A', 'without `}`']],
  },
  {
    name: 'a shell form',
    yaml: first('{ run: "a ${B##x}" }'),
    expect: [['3:15', 'bad-variable', 'services.api.run', '$${...}']],
  },
  {
    name: 'a secret in a command',
    yaml: `${first('{ run: "a ${KEY}" }')}secrets: [KEY]\n`,
    variables: { KEY: 'x' },
    expect: [['3:15', 'secret-misplaced', 'services.api.run', 'only be used in `env`']],
  },
  {
    name: 'a secret with a default',
    yaml: `${service('    env: { A: "${KEY:-x}" }\n')}secrets: [KEY]\n`,
    expect: [['5:15', 'secret-misplaced', 'services.api.env.A', 'default']],
  },
  {
    name: 'an unlisted secret',
    yaml: service('    env: { A: "${SECRET_KEY}" }\n'),
    variables: { SECRET_KEY: 'x' },
    expect: [['5:15', 'secret-misplaced', 'services.api.env.A', 'not listed']],
  },
  {
    name: 'a url outside env',
    yaml: first('{ run: "a ${services.api.url}" }'),
    expect: [['3:15', 'bad-variable', 'services.api.run', 'only be used in `env`']],
  },
  {
    name: 'the port of an instance elsewhere',
    yaml: service('    data: ["${PORT}"]\n'),
    variables: { PORT: '1' },
    expect: [['5:12', 'bad-variable', 'services.api.data.0', 'when an instance starts']],
  },

  {
    name: 'a variable in the name of the project',
    yaml: 'project: ${N}\nservices: { api: { run: a } }\n',
    variables: { N: 'n' },
    expect: [['1:10', 'bad-value', 'project', 'a name of lower-case letters']],
  },
  {
    name: 'a secret that evenkeel sets itself',
    yaml: `${first('{ run: a }')}secrets: [PORT]\n`,
    expect: [['4:11', 'bad-value', 'secrets.0', 'does not set itself']],
  },
  {
    name: 'a reference to a service of which nothing can be understood',
    yaml: service('    after: web\n    env: { W: "${services.web.url}" }\n  web: nonsense\n'),
    expect: [['7:8', 'wrong-type', 'services.web', 'keys and values']],
  },

  // Not yet
  ...[['port: 3000', 'port']].map(([keys, path]): Case => ({
    name: `not yet: ${path}`,
    yaml: service(`    ${keys}\n`),
    expect: [['5:5', 'not-available', `services.api.${path}`, 'is not available in evenkeel 0.1 yet: ']],
  })),
  {
    name: 'not yet: public',
    yaml: service('    routes: /\n    public: false\n'),
    expect: [['6:5', 'not-available', 'services.api.public', 'not available']],
  },
  ...[
    ['external: { m: { http: https://a.example } }', '4:1', 'external'],
    ['alerts: { a: { when: x } }', '4:1', 'alerts'],
    ['backups: { a: { of: x, to: y } }', '4:1', 'backups'],
    [
      'environments: { production: { approve: { people: 1, groups: [ops] } } }',
      '4:53',
      'environments.production.approve.groups',
    ],
    ['environments: { production: { runtime: docker } }', '4:31', 'environments.production.runtime'],
    [
      'environments: { production: { services: { api: { port: 3000 } } } }',
      '4:50',
      'environments.production.services.api.port',
    ],
  ].map(([keys = '', place = '', path = '']): Case => ({
    name: `not yet: ${path}`,
    yaml: `${first('{ run: a }')}${keys}\n`,
    expect: [[place, 'not-available', path, 'is not available in evenkeel 0.1 yet: ']],
  })),

  // In the cloud
  {
    name: 'a database without url where nothing is in the cloud',
    yaml: `${first('{ run: a }')}databases: { main: { engine: postgres } }\n`,
    expect: [['4:14', 'not-available', 'databases.main', 'have one in the cloud: add `cloud`']],
  },
  {
    name: 'a name that Google gives to no bucket: goog-files',
    yaml: `${first('{ run: a, routes: [/] }')}cloud: { project: shop-1234, region: europe-west1 }\nbuckets: { a: { name: "goog-files" } }\n`,
    expect: [['5:23', 'bad-value', 'buckets.a.name', 'without `google`']],
  },
  {
    name: 'a name that Google gives to no bucket: my-google-files',
    yaml: `${first('{ run: a, routes: [/] }')}cloud: { project: shop-1234, region: europe-west1 }\nbuckets: { a: { name: "my-google-files" } }\n`,
    expect: [['5:23', 'bad-value', 'buckets.a.name', 'without `google`']],
  },
  {
    name: 'a name that Google gives to no bucket: 192.168.0.1',
    yaml: `${first('{ run: a, routes: [/] }')}cloud: { project: shop-1234, region: europe-west1 }\nbuckets: { a: { name: "192.168.0.1" } }\n`,
    expect: [['5:23', 'bad-value', 'buckets.a.name', 'without `google`']],
  },
  {
    name: 'a name that Google gives to no bucket: a..b',
    yaml: `${first('{ run: a, routes: [/] }')}cloud: { project: shop-1234, region: europe-west1 }\nbuckets: { a: { name: "a..b" } }\n`,
    expect: [['5:23', 'bad-value', 'buckets.a.name', 'without `google`']],
  },
  {
    name: 'buckets where nothing is in the cloud',
    yaml: `${first('{ run: a }')}buckets: { files: {} }\n`,
    expect: [['4:10', 'not-available', 'buckets', 'add `cloud: { project: ID, region: REGION }`']],
  },
  {
    name: 'property 28: a cloud without its required settings, all at once',
    yaml: `${first('{ run: a }')}cloud: { provider: google }\n`,
    expect: [
      ['4:8', 'missing-key', 'cloud.project', '`project: my-project-1234`'],
      ['4:8', 'missing-key', 'cloud.region', '`region: europe-west1`'],
    ],
  },
];

describe('a bad file is refused with the place and the next step', () => {
  test.each(cases)('$name', async ({ yaml, environment, variables, expect: expected }) => {
    const problems = (await problemsIn(yaml, environment, variables)).filter(({ severity }) => severity === 'error');
    expect(problems.map(({ line, column, code, path }) => `${line}:${column} ${code} ${path}`)).toEqual(
      expected.map(([place, code, path]) => `${place} ${code} ${path}`),
    );
    for (const [index, [, , , words]] of expected.entries()) {
      const { message, hint, expected: right } = problems[index] ?? { message: '', hint: '', expected: '' };
      expect(`${message} ${hint} ${right}`).toContain(words);
    }
  });
});

test('everything that is wrong is said at once, in the order of the file', async () => {
  const problems = await problemsIn(
    [
      'project: p',
      'services:',
      '  api:',
      '    run: node main.js ${NOPE}',
      '    helth: /x',
      '    after: [nobody]',
      '    port: 3000',
      '    routes: [/]',
      '  web: { static: dist, instances: many, routes: [/] }',
      'environments:',
      '  production: { port: 99999 }',
    ].join('\n'),
  );
  expect(problems.map(({ line, code }) => [line, code])).toEqual([
    [4, 'unset-variable'],
    [5, 'unknown-key'],
    [6, 'unknown-reference'],
    [7, 'not-available'],
    [9, 'contradiction'],
    [9, 'wrong-type'],
    [9, 'duplicate-route'],
    [11, 'bad-value'],
  ]);
});

test('a file that grows without end by its aliases is refused, and so is one that is nested without end', async () => {
  const bomb = ['project: p', 'a0: &a0 [x, x]'];
  for (let level = 1; level < 40; level++) bomb.push(`a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`);
  const [problem] = await problemsIn(bomb.join('\n'));
  expect(problem).toMatchObject({ code: 'too-large' });
  for (const deep of [`a: ${'['.repeat(300)}${']'.repeat(300)}`, '['.repeat(100_000)]) {
    const codes = (await problemsIn(deep)).map(({ code }) => code);
    expect(codes.some((code) => code === 'too-large' || code === 'syntax')).toBe(true);
  }
});
