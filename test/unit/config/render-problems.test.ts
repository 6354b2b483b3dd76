import { expect, test } from 'vitest';

import { renderProblems } from '../../../src/config/render-problems.ts';
import { problemsIn } from './read.ts';

const rendered = async (...args: Parameters<typeof problemsIn>): Promise<string> =>
  renderProblems(await problemsIn(...args));

test('a problem reads as one line, with the source below it and a count at the end', async () => {
  const text = 'project: p\nservices:\n  api:\n    run: a\n    helth: /x\n    timeout: 30\n';
  expect(await rendered(text)).toBe(
    [
      'evenkeel.yaml:5:5  services.api.helth  unknown key; did you mean "health"?',
      '  5 |     helth: /x',
      '    |     ^^^^^',
      'evenkeel.yaml:6:14  services.api.timeout  expected a duration from 1ms to 24h, got 30; a number needs a unit: 30s',
      '  6 |     timeout: 30',
      '    |              ^^',
      '2 errors',
      '',
    ].join('\n'),
  );
});

test('warnings are called so', async () => {
  const text = 'project: p\nservices:\n  api: { run: a, routes: [/] }\n';
  expect(await rendered(text, 'production')).toMatch(/services\.api {2}warning: .*\n.*\n.*\n1 warning\n$/);
});

test('nothing to say is nothing', () => {
  expect(renderProblems([])).toBe('');
});

const KEYS = 'project: p\nservices:\n  api:\n    run: a\n';

test.each([
  ['an entry of env', `${KEYS}    env: { PASSWORD: hunter2, A: "\${NOPE}", list: [hunter2] }\n`],
  ['an entry of env, lower case', `${KEYS}    env:\n      password: hunter2 \${NOPE}\n`],
  ['a list in env', `${KEYS}    env: { A: "hunter2, hunter2", B: [hunter2] }\n`],
  ['the url of a database', `${KEYS}databases: { main: { url: "pg://u:hunter2@h/\${NOPE}", hunter: 1 } }\n`],
  ['a syntax error in env', `${KEYS}    env:\n      secretly: hunter2: x\n`],
  ['a syntax error in an open quote', `${KEYS}    env: { x: 'hunter2, Y: hunter2\n`],
  ['credentials in a command', `project: p\nservices:\n  api: { run: [1], build: "get https://u:hunter2@h" }\n`],
  ['credentials of the wrong type', `${KEYS}    health: https://u:hunter2@h/\n`],
  ['a filled value', `${KEYS}    timeout: \${LEAK}\n    routes: "\${LEAK}"\n    data: ["/\${LEAK}"]\n`],
  ['an unknown key with a telling name', `${KEYS}    apiKey: hunter2\n    TOKEN: hunter2\n`],
])('a private value is not shown: %s', async (_, text) => {
  const problems = await problemsIn(text, 'development', { LEAK: 'hunter2 x' });
  expect(problems.length).toBeGreaterThan(0);
  expect(renderProblems(problems)).not.toContain('hunter2');
  expect(JSON.stringify(problems)).not.toContain('hunter2');
});

test('the text of a file cannot steer the terminal', async () => {
  const text = 'project: p\nservices:\n  "a\\e[31m": { run: a, "b\\r\\n": 1 }\n  c: { run: a, \u202Ed: 1 }\n';
  const shown = await rendered(text);
  // eslint-disable-next-line no-control-regex
  expect(shown).not.toMatch(/[\u001b\r\u202e]/);
});
