import { expect, test } from 'vitest';
import type { Facts, ServerFacts, WorkFolder } from '../../src/domain/doctor/facts.ts';
import { findingsOf } from '../../src/domain/doctor/findings.ts';

const NOW = Date.UTC(2026, 5, 1);
const GIB = 1024 ** 3;

const answering: ServerFacts = {
  version: '0.1.0',
  processes: {
    keeper: { pid: 1, state: 'alive', version: '0.1.0', startedAt: NOW - 1000 },
    controller: { pid: 2, state: 'alive' },
    edge: { pid: 3, state: 'alive' },
    standingBy: [],
    controllersWanted: 1,
    controllerFailures: 0,
  },
  answer: {
    kind: 'answer',
    version: '0.1.0',
    edge: true,
    databases: [{ file: '/h/store.db', why: null }],
    environments: [],
    storeAway: false,
    unwritten: 0,
  },
};

function facts(change: (facts: Facts) => void = () => {}): Facts {
  const found: Facts = {
    now: NOW,
    host: {
      platform: 'linux',
      kernel: '6.1.0-13-amd64',
      node: 'v24.21.0',
      nodeWanted: 24,
      cores: 2,
      memory: { total: 4 * GIB, available: 2 * GIB },
      cgroups: { memory: true, cpu: true, why: null },
      git: 'git version 2.39.5',
      shell: true,
      bootedAt: NOW - 86_400_000,
      installedAt: NOW - 1000,
    },
    home: {
      path: '/h',
      uid: 1000,
      places: [
        { role: 'home', path: '/h', kind: 'folder', uid: 1000, mode: 0o700, writable: true, size: 0 },
        { role: 'token', path: '/h/token', kind: 'file', uid: 1000, mode: 0o600, writable: true, size: 53 },
        { role: 'secrets', path: '/h/secrets.json', kind: 'file', uid: 1000, mode: 0o600, writable: true, size: 9 },
        { role: 'key of the secrets', path: '/k', kind: 'file', uid: 1000, mode: 0o600, writable: true, size: 32 },
      ],
      keyInHome: false,
      disk: { free: 50 * GIB, total: 100 * GIB, freeInodes: 900_000, inodes: 1_000_000 },
      reserve: true,
      newest: { path: '/h/store.db', at: NOW - 10 },
      torn: [],
      storeIsDatabase: true,
    },
    server: structuredClone(answering),
    work: { folders: [], strays: [], leftovers: [] },
    signIn: null,
    project: {
      name: 'chat',
      environment: 'development',
      root: '/p',
      ports: [],
      repository: true,
      missing: [],
      tls: null,
    },
  };
  change(found);
  return found;
}

const bad = (found: Facts) => findingsOf(found).filter(({ level }) => level !== 'ok');
const folder = (change: Partial<WorkFolder>): WorkFolder => ({
  kind: 'instance',
  name: 'api@1-0',
  path: '/h/instances/api@1-0',
  scope: { project: 'chat', environment: 'production' },
  state: 'living',
  pid: 77,
  since: NOW - 600_000,
  ...change,
});

test('where all is well there is nothing to mend', () => {
  expect(bad(facts())).toEqual([]);
  expect(findingsOf(facts()).every(({ next }) => next === null)).toBe(true);
});

const SIGN_IN = { path: '/h/sign-in.yaml', problems: [], providers: 1, issuers: 0, writable: false };

/** What is wrong, how bad it is, and what the finding must say. */
const CASES: [string, 'warning' | 'problem', string, RegExp, (found: Facts) => void][] = [
  ['another system', 'problem', 'host', /darwin/, ({ host }) => (host.platform = 'darwin')],
  ['an old kernel', 'warning', 'host', /4\.9/, ({ host }) => (host.kernel = '4.9.0')],
  ['an old Node', 'problem', 'node', /v20/, ({ host }) => (host.node = 'v20.1.0')],
  [
    'little memory',
    'warning',
    'memory',
    /100 MiB/,
    ({ host }) => (host.memory = { total: GIB, available: 100 * 1024 ** 2 }),
  ],
  [
    'no control groups',
    'warning',
    'cgroups',
    /memory and cpu/,
    ({ host }) => (host.cgroups = { memory: false, cpu: false, why: 'x' }),
  ],
  ['no git', 'warning', 'git', /git/, ({ host }) => (host.git = null)],
  ['no shell', 'problem', 'shell', /sh/, ({ host }) => (host.shell = false)],
  ['a clock that begins anew', 'problem', 'clock', /past/, (found) => (found.now = 86_400_000)],
  [
    'a clock that was set back',
    'warning',
    'clock',
    /store\.db was written/,
    ({ home }) => (home.newest = { path: '/h/store.db', at: NOW + 600_000 }),
  ],
  ['a boot in the future', 'problem', 'clock', /booted/, ({ host }) => (host.bootedAt = NOW + 600_000)],
  ['an open token', 'problem', 'permissions', /644.*|rm \/h\/token/, ({ home }) => (home.places[1]!.mode = 0o644)],
  ['a home of somebody else', 'problem', 'permissions', /user 0/, ({ home }) => (home.places[0]!.uid = 0)],
  [
    'a home that cannot be written',
    'problem',
    'permissions',
    /cannot be written/,
    ({ home }) => (home.places[0]!.writable = false),
  ],
  ['a lost key', 'problem', 'secrets', /key \/k is gone/, ({ home }) => (home.places[3]!.kind = 'absent')],
  ['half a key', 'problem', 'secrets', /16 bytes/, ({ home }) => (home.places[3]!.size = 16)],
  ['a key in the home', 'warning', 'secrets', /copy/, ({ home }) => (home.keyInHome = true)],
  ['a full disk', 'problem', 'disk', /50 MiB/, ({ home }) => (home.disk!.free = 50 * 1024 ** 2)],
  ['a disk that fills', 'warning', 'disk', /500 MiB/, ({ home }) => (home.disk!.free = 500 * 1024 ** 2)],
  ['no more files', 'problem', 'disk', /only 10 more files/, ({ home }) => (home.disk!.freeInodes = 10)],
  ['a reserve that is spent', 'warning', 'disk', /kept for a full disk/, ({ home }) => (home.reserve = false)],
  ['a torn file', 'warning', 'files', /keeper\.json is damaged/, ({ home }) => (home.torn = ['/h/keeper.json'])],
  ['no database', 'problem', 'store', /does not begin/, ({ home }) => (home.storeIsDatabase = false)],
  [
    'a stopped controller',
    'problem',
    'processes',
    /stopped by a signal/,
    ({ server }) => (server.processes!.controller!.state = 'stopped'),
  ],
  [
    'a crashing controller',
    'warning',
    'processes',
    /ended 2 times/,
    ({ server }) => (server.processes!.controllerFailures = 2),
  ],
  [
    'nobody who stands by',
    'warning',
    'processes',
    /0 of 2 controllers stand by/,
    ({ server }) => (server.processes!.controllersWanted = 3),
  ],
  [
    'one who stands by and was stopped',
    'problem',
    'processes',
    /controller that stands by \(process 4\) was stopped/,
    ({ server }) => (server.processes!.standingBy = [{ pid: 4, state: 'stopped' }]),
  ],
  [
    'a store that is away',
    'problem',
    'store',
    /does not answer/,
    ({ server }) => {
      if (server.answer.kind === 'answer') server.answer.storeAway = true;
    },
  ],
  [
    'what is still to be written',
    'warning',
    'store',
    /1 request .* still to be written/,
    ({ server }) => {
      if (server.answer.kind === 'answer') server.answer.unwritten = 1;
    },
  ],
  [
    'a silent controller',
    'problem',
    'server',
    /does not answer/,
    ({ server }) => (server.answer = { kind: 'silent', why: 'no reply' }),
  ],
  [
    'no server',
    'warning',
    'server',
    /does not run/,
    ({ server }) => {
      server.answer = { kind: 'none' };
      server.processes!.keeper.state = 'dead';
      server.processes!.controller = null;
      server.processes!.edge = null;
    },
  ],
  [
    'an edge alone',
    'problem',
    'processes',
    /has no keeper/,
    ({ server }) => {
      server.processes!.keeper.state = 'dead';
    },
  ],
  [
    'another version',
    'warning',
    'versions',
    /0\.0\.9/,
    ({ server }) => {
      if (server.answer.kind === 'answer') server.answer.version = '0.0.9';
    },
  ],
  [
    'a mute edge',
    'problem',
    'edge',
    /does not answer/,
    ({ server }) => {
      if (server.answer.kind === 'answer') server.answer.edge = false;
    },
  ],
  [
    'a damaged store',
    'problem',
    'store',
    /row missing/,
    ({ server }) => {
      if (server.answer.kind === 'answer') server.answer.databases[0]!.why = 'row missing';
    },
  ],
  [
    'a stray process',
    'problem',
    'orphans',
    /process 9/,
    ({ work }) => work.strays.push({ pid: 9, folder: '/h/instances/x' }),
  ],
  [
    'an instance that nobody asked for',
    'problem',
    'orphans',
    /knows nothing/,
    ({ work }) => work.folders.push(folder({})),
  ],
  [
    'an end that nobody recorded',
    'warning',
    'orphans',
    /not recorded/,
    ({ work }) => work.folders.push(folder({ state: 'lost', pid: null })),
  ],
  [
    'old leftovers',
    'warning',
    'leftovers',
    /\.removed-1/,
    ({ work }) => work.leftovers.push({ path: '/h/instances/.removed-1', at: NOW - 7_200_000 }),
  ],
  [
    'a taken port',
    'problem',
    'ports',
    /another program/,
    ({ project }) => project!.ports.push({ port: 80, bind: '::', state: 'taken', code: 'EADDRINUSE' }),
  ],
  [
    'a port for root only',
    'problem',
    'ports',
    /EACCES/,
    ({ project }) => project!.ports.push({ port: 80, bind: '::', state: 'refused', code: 'EACCES' }),
  ],
  [
    'a missing program',
    'warning',
    'programs',
    /pnpm.*web/,
    ({ project }) => project!.missing.push({ program: 'pnpm', services: ['web'] }),
  ],
  [
    'a file of sign-ins that cannot be used',
    'problem',
    'sign-in',
    /sign-in\.yaml:3/,
    (found) => (found.signIn = { ...SIGN_IN, problems: ['/h/sign-in.yaml:3:5  oidc.a.isuer  unknown key'] }),
  ],
  [
    'a file of sign-ins that others write',
    'problem',
    'sign-in',
    /let themselves in/,
    (found) => (found.signIn = { ...SIGN_IN, writable: true }),
  ],
  ['no repository', 'warning', 'repository', /no git repository/, ({ project }) => (project!.repository = false)],
];

test.each(CASES)('%s is a %s of %s', (_, level, check, what, change) => {
  const found = bad(facts(change));
  const finding = found.find((each) => each.check === check);
  expect(found).toContainEqual(expect.objectContaining({ check, level }));
  expect(finding?.what).toMatch(what);
  expect(finding?.next).toBeTruthy();
});

test('what has just begun is given time', () => {
  const young = { since: NOW - 1_000 };
  expect(bad(facts(({ work }) => work.folders.push(folder(young), folder({ ...young, state: 'lost' }))))).toEqual([]);
  expect(bad(facts(({ work }) => work.leftovers.push({ path: '/h/tmp/x', at: NOW - 1_000 })))).toEqual([]);
});
