import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';
import { child, keyPlace, toPlain } from './tree.ts';
import type { Tree } from './tree.ts';

/**
 * Keys whose shape is settled and whose capability is not there yet. They are refused instead of ignored: a backup
 * that is written down and not made is worse than none.
 */
interface NotYet {
  /** `*` stands for any one key. */
  path: string;
  /** How the key is called in the message, when its name alone does not say it. */
  what?: string;
  /** Refused only when this holds for the value (and the map around it); always by default. */
  when?: (value: unknown, around: Tree | undefined) => boolean;
  instead: string;
}

const VERSION = '0.1';

const OF_A_SERVICE: NotYet[] = [
  { path: 'port', instead: 'make the program listen on $PORT, or hand it over: `run: server --port $PORT`' },
  {
    path: 'public',
    what: 'public: false',
    when: (value, around) => (value === false || value === 'false') && child(around, 'routes') !== undefined,
    instead: 'leave `routes` out and let other services ask it by ${services.NAME.url}',
  },
];

const EVERYWHERE: NotYet[] = [
  {
    path: 'databases.*',
    what: 'a database without `url`',
    when: (value) => isMap(value) && value['url'] === undefined,
    instead: 'start the database yourself and give its `url`',
  },
  { path: 'databases.*.size', instead: 'set the size where the database runs' },
  { path: 'buckets', instead: 'give services the address of the bucket in `env`' },
  { path: 'external', instead: 'check these systems with what you use today' },
  { path: 'cloud', instead: 'set up the machine yourself and run evenkeel on it' },
  { path: 'alerts', instead: 'watch `evenkeel status --json` with what you use today' },
  { path: 'backups', instead: 'keep the backups that you have' },
  { path: 'environments.*.approve.groups', instead: 'use `approve: { people: 1 }`' },
  {
    path: 'environments.*.runtime',
    what: 'another runtime than `process`',
    when: (value) => value !== 'process' && ['docker', 'cloud-run'].includes(String(value)),
    instead: 'leave `runtime` out',
  },
  ...['services.*', 'environments.*.services.*'].flatMap((at) =>
    OF_A_SERVICE.map((rule) => ({ ...rule, path: `${at}.${rule.path}`, what: rule.what ?? rule.path })),
  ),
];

export function notYetAvailable(tree: Tree): Problem[] {
  return EVERYWHERE.flatMap((rule) =>
    matches(tree, rule.path.split('.')).flatMap(({ path, value, around }) => {
      if (value.kind === 'scalar' && value.value === null) return [];
      if (rule.when !== undefined && !rule.when(toPlain(value), around)) return [];
      const what = rule.what ?? path.at(-1) ?? '';
      return [
        problemAt(keyPlace(tree, path), path, {
          code: 'not-available',
          message: `${what.includes('`') ? what : `\`${what}\``} is not available in evenkeel ${VERSION} yet: ${rule.instead}`,
        }),
      ];
    }),
  );
}

interface Match {
  path: string[];
  value: Tree;
  around: Tree | undefined;
}

function matches(tree: Tree, pattern: readonly string[]): Match[] {
  let found: Match[] = [{ path: [], value: tree, around: undefined }];
  for (const key of pattern) {
    found = found.flatMap(({ path, value }) => {
      const names = key === '*' ? (value.kind === 'map' ? [...value.entries.keys()] : []) : [key];
      return names.flatMap((name) => {
        const next = value.kind === 'map' ? child(value, name) : undefined;
        return next === undefined ? [] : [{ path: [...path, name], value: next, around: value }];
      });
    });
  }
  return found;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
