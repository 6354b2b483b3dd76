import { defineConfig, type OxlintOverride } from 'oxlint';

/** The map of the house: which rooms of src a room may import from, beside itself and lib. */
const house = {
  lib: [],
  domain: [],
  ports: ['domain'],
  platform: ['ports'],
  config: ['domain', 'ports'],
  engine: ['domain', 'ports'],
  store: ['domain', 'ports', 'platform'],
  edge: ['domain', 'platform'],
  keeper: ['platform'],
  drivers: ['domain', 'ports', 'platform'],
  api: ['domain', 'ports', 'engine'],
  emulator: ['platform'],
  app: ['domain', 'ports', 'platform', 'config', 'engine', 'store', 'edge', 'keeper', 'drivers', 'api', 'emulator'],
  cli: ['config', 'api', 'ports'], // of api only its contract, of ports only the errors, see below
} as const;

type Room = keyof typeof house;
type Rules = NonNullable<OxlintOverride['rules']>;

interface Pattern {
  regex?: string;
  group?: string[];
  message: string;
}

const rooms = Object.keys(house) as Room[];

/** However deep the importing file lies: any number of steps up. So no folder inside a room is named like a room. */
const up = String.raw`^(\./)?(\.\./)+`;

const outside: Pattern = {
  regex: `${up}(test|bench|scripts|examples|web|bin\\.ts)(/|$)`,
  message: 'The sources need nothing outside of src, and nobody imports bin.ts.',
};

const childProcess = {
  name: 'node:child_process',
  message: 'Only src/platform starts processes, from lists of arguments.',
};

const pure: Rules = {
  'no-restricted-globals': [
    'error',
    {
      globals: ['Date', 'process', 'performance', 'crypto', 'setTimeout', 'setInterval', 'setImmediate', 'fetch'].map(
        (name) => ({ name, message: 'Time, chance and IO are arguments here.' }),
      ),
      checkGlobalObject: true,
    },
  ],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Chance is an argument here.' }],
};

/** Everything that is neither a path nor zod; the expressions know no look-ahead. */
const noPackageButZod = { regex: '^([^.z]|z[^o]|zo[^d]|zod[^/])' };

/** What only one room forbids. */
const special: Partial<Record<Room, Pattern>> = {
  lib: { regex: '^[^.]', message: 'lib is pure and imports no package, not even of Node.' },
  domain: { ...noPackageButZod, message: 'domain is pure: of all packages it uses zod only.' },
  cli: {
    group: ['**/api/**', '!**/api/contract/**', '**/ports/**', '!**/ports/errors.ts'],
    message: 'cli is a client: of api it knows the contract only, of ports the errors.',
  },
};

function borders(room: Room): Pattern[] {
  const open: readonly Room[] = room === 'lib' ? [room] : [room, 'lib', ...house[room]];
  const closed = rooms.filter((other) => !open.includes(other));
  const names = open.filter((other) => other !== room).join(', ');
  const walls = { regex: `${up}(src/)?(${closed.join('|')})/`, message: `${room} may import ${names || 'nothing'}.` };
  const own = special[room];
  return own === undefined ? [walls, outside] : [walls, outside, own];
}

function restrict(room: Room, ...more: Pattern[]): Rules {
  const paths = room === 'platform' ? [] : [childProcess];
  return { 'no-restricted-imports': ['error', { paths, patterns: [...borders(room), ...more] }] };
}

/** What api forbids in addition to its contract, which clients load: schemas, and nothing that runs. */
const contract: Pattern[] = [
  { regex: `${up}(routes|engine|ports)/`, message: 'The contract holds schemas only and may import domain.' },
  { ...noPackageButZod, message: 'The contract holds schemas only: of all packages it uses zod only.' },
];

/** The dashboard is a client: what it knows of the sources is the contract, and how numbers are written. */
const web: Pattern[] = [
  {
    regex: `${up}src/(${[...rooms.filter((room) => room !== 'lib' && room !== 'api'), 'api/[^c]', 'api/[^/]*\\.ts', 'bin'].join('|')})`,
    message: 'web may import src/api/contract and src/lib, and nothing else of the sources.',
  },
  { regex: `${up}(test|bench|scripts|examples)(/|$)`, message: 'The dashboard needs nothing of these.' },
  {
    regex: '^(node:|fastify|kysely|pg|pino|zod)',
    message: 'The dashboard runs in a browser; schemas stay at the server.',
  },
];

const otherDriver = 'A driver imports no other driver: what they share belongs to their kind, platform or domain.';

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['**/fixtures/**', 'dist/**', 'coverage/**'],
  rules: {
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
    'import/no-cycle': ['error', { ignoreTypes: true }],
    'import/no-self-import': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/switch-exhaustiveness-check': 'error',

    // Noise: right about style somewhere, wrong about bugs here.
    'consistent-return': 'off',
    'no-await-in-loop': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'no-unmodified-loop-condition': 'off',
    'oxc/no-accumulating-spread': 'off',
    'oxc/no-async-endpoint-handlers': 'off', // about Express; Fastify takes them
    'oxc/no-map-spread': 'off',
    'promise/always-return': 'off',
    'typescript/consistent-return': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/unbound-method': 'off', // records of functions are no classes
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-useless-spread': 'off',
    'unicorn/prefer-add-event-listener': 'off',
    'unicorn/prefer-set-has': 'off',
  },
  overrides: [
    {
      files: ['src/**/*.ts'],
      rules: {
        'max-lines': ['error', { max: 300 }],
        'no-console': 'error',
        'import/no-default-export': 'error',
        'oxc/no-barrel-file': ['error', { threshold: 0 }],
        'no-restricted-imports': ['error', { paths: [childProcess], patterns: [outside] }],
      },
    },
    // Of several overrides that fit a file, the last one's setting of a rule counts, whole.
    ...rooms.map((room) => ({ files: [`src/${room}/**/*.ts`], rules: restrict(room) })),
    { files: ['src/lib/**/*.ts', 'src/domain/**/*.ts'], rules: pure },
    { files: ['src/api/contract/**/*.ts'], rules: restrict('api', ...contract) },
    { files: ['src/cli/**/*.ts', 'src/bin.ts'], rules: { 'no-console': 'off' } },
    {
      files: ['web/src/**'],
      env: { browser: true, node: false },
      rules: {
        'max-lines': ['error', { max: 300 }],
        'no-console': 'error',
        'import/no-default-export': 'error',
        'oxc/no-barrel-file': ['error', { threshold: 0 }],
        'no-restricted-imports': ['error', { patterns: web }],
        // Style sheets, which are imported for what they do.
        'import/no-unassigned-import': ['error', { allow: ['**/*.css'] }],
      },
    },
    { files: ['test/**'], rules: { 'typescript/no-base-to-string': 'off' } },
    // The checker does not see what a JSDoc cast is for.
    {
      files: ['examples/**/*.js'],
      rules: {
        'typescript/no-unnecessary-type-assertion': 'off',
        // These are in no project of TypeScript: what is known of node:http depends on what else is looked at.
        'typescript/no-misused-promises': 'off',
      },
    },
    // src/drivers/<kind>/<driver>/: a step up that leads into a folder leads into another driver or kind.
    ...[
      ['*', String.raw`^(\./)?\.\./[^./]`],
      ['*/*', String.raw`^(\./)?\.\./([^./]+/|\.\./[^.])`],
      ['*/*/*', String.raw`^(\./)?\.\./\.\./([^./]+/|\.\./[^.])`],
    ].map(([depth, regex]) => ({
      files: [`src/drivers/${depth}/*.ts`],
      rules: restrict('drivers', { regex: regex ?? '', message: otherDriver }),
    })),
  ],
});
