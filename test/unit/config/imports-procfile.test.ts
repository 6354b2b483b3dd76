import { expect, test } from 'vitest';
import { drafted, type Written } from './drafted.ts';

interface Shape {
  procfile: string;
  files?: Record<string, string>;
  has?: Record<string, Written>;
  notes?: string[];
  silent?: string[];
}

const SHAPES: Record<string, Shape> = {
  'web and release': {
    procfile: 'web: node server.js\nrelease: npm run migrate\n',
    has: { web: { run: 'node server.js', migrate: 'npm run migrate', routes: ['/'] } },
  },
  'release before web, and a worker': {
    procfile: 'release: ./migrate\nworker: ./work\nweb: ./serve\n',
    has: { web: { migrate: './migrate' }, worker: { run: './work' } },
  },
  'release twice': {
    procfile: 'web: a\nrelease: b\nrelease: c\n',
    has: { web: { migrate: 'b' } },
    notes: ['line 3: there was a `release`'],
  },
  'release alone': { procfile: 'release: b\n', notes: ['Procfile has a `release`'] },
  'comments and blank lines': {
    procfile: '# first\n\n  # second\nweb: a\n\n',
    has: { web: { run: 'a' } },
    silent: ['line'],
  },
  'Windows line ends and a byte order mark': {
    procfile: '\uFEFFweb: node server.js\r\nworker: node work.js\r\n',
    has: { web: { run: 'node server.js' }, worker: { run: 'node work.js' } },
  },
  'variables before the command': {
    procfile: 'web: NODE_ENV=production exec node server.js\n',
    has: { web: { run: 'NODE_ENV=production exec node server.js' } },
  },
  'pipes, quotes, colons and comments in a command': {
    procfile: `web: node server.js 2>&1 | tee -a "log: #1.txt" && echo 'it''s: over'\n`,
    has: { web: { run: `node server.js 2>&1 | tee -a "log: #1.txt" && echo 'it''s: over'` } },
  },
  'variables of the shell': {
    procfile: 'web: puma -p ${PORT:-3000} -t ${THREADS:-5} $EXTRA\n',
    has: { web: { run: 'puma -p ${PORT:-3000} -t $${THREADS:-5} $EXTRA' } },
  },
  'a port of its own': { procfile: 'web: rails server -p 3000\n', notes: ['`web` seems to listen on 3000'] },
  'names in other letters': {
    procfile: 'web_admin: a\nWorker-2 : b\n',
    has: { 'web-admin': { run: 'a' }, 'worker-2': { run: 'b' } },
  },
  'the same name twice': {
    procfile: 'web: a\nweb: b\n',
    has: { web: { run: 'a' }, 'web-2': { run: 'b' } },
    notes: ['line 2: `web` is there twice (line 1)'],
  },
  'lines that are none': { procfile: 'web: a\nwhat\nempty:\n', notes: ['line 2 is not', 'line 3 is not'] },
  '.env is given to every program': {
    procfile: 'web: a\nworker: b\n',
    files: { '.env': 'LEVEL=debug\nAPI_KEY=hunter2\nPORT=5000\n' },
    has: {
      web: { env: { LEVEL: '${LEVEL:-}', API_KEY: '${API_KEY}' } },
      worker: { env: { LEVEL: '${LEVEL:-}', API_KEY: '${API_KEY}' } },
    },
    notes: ['.env: PORT is left out', 'evenkeel secrets set API_KEY'],
    silent: ['hunter2'],
  },
  'another Procfile': {
    procfile: 'web: a\n',
    files: { 'Procfile.dev': 'web: b\n' },
    notes: ['Procfile.dev is not read'],
  },
  'a compose file beside it': {
    procfile: 'web: a\nclock: c\n',
    files: { 'compose.yaml': 'services:\n  web: { build: ., command: b }\n' },
    has: { web: { run: 'b' } },
    notes: ['Procfile: `clock` is left out'],
  },
};

test.each(Object.entries(SHAPES))('Procfile: %s', async (_, { procfile, files, has, notes, silent }) => {
  const found = await drafted({ Procfile: procfile, ...files });
  expect(found.file.services, found.notes).toMatchObject(has ?? {});
  for (const text of notes ?? []) expect(found.notes).toContain(text);
  for (const text of silent ?? []) expect(found.notes + found.yaml).not.toContain(text);
});
