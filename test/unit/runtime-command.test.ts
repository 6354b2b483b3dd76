import { expect, test } from 'vitest';
import { becomeProgram } from '../../src/drivers/runtime/process/command.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';

test.each([
  ['node dist/main.js', 'exec node dist/main.js'],
  ['  npm start', '  exec npm start'],
  ['./bin/server --port $PORT > out.txt', 'exec ./bin/server --port $PORT > out.txt'],
  ['NODE_ENV=production node main.js', 'NODE_ENV=production exec node main.js'],
  ['npm run build && node main.js', 'npm run build && exec node main.js'],
  ['cd app; node main.js', 'cd app; exec node main.js'],
  [`node --title "the api" -e 'x'`, `exec node --title "the api" -e 'x'`],
])('%j becomes the program', (command, expected) => {
  expect(becomeProgram(command)).toBe(expected);
});

test.each([
  '',
  'exit 3',
  'exec node main.js',
  'cd app && exit 1',
  'node a.js | tee log',
  'node a.js & node b.js',
  'node a.js || node b.js',
  'node a.js;',
  'if true; then node a.js; fi',
  'while true; do sleep 1; done',
  '(cd app && node a.js)',
  'echo "$(date)" && node a.js',
  `node -e 'a; b'`,
  `echo 'a && b' && node c.js`,
  'node a.js\nnode b.js',
  'X=1',
  '"$PROGRAM" --flag',
])('%j stays as it is', (command) => {
  expect(becomeProgram(command)).toBe(command);
});

test.each([
  'echo $((1+1))',
  'A=1 env | grep ^A=',
  'A=2 sh -c \'echo "$A"\'',
  'true && echo yes',
  'echo a; echo b',
  'false && echo no',
  'no-such-program',
])('%j does the same either way', async (command) => {
  const [plain, become] = await Promise.all(
    [command, becomeProgram(command)].map((each) => runCommand(['/bin/sh', '-c', each])),
  );
  expect([become?.code, become?.stdout]).toEqual([plain?.code, plain?.stdout]);
});
