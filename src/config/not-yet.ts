import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';
import { mentionsCloud, runtimeOf } from './resolve/cloud/place.ts';
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
  /** Refused only when this holds for the value; always by default. */
  when?: (value: unknown, where: Where) => boolean;
  instead: string;
}

interface Where {
  /** The whole file. */
  tree: Tree;
  /** The map that the key is in. */
  around: Tree | undefined;
  /** That the value is about. */
  environment: string;
}

const VERSION = '0.1';

/** What only Cloud Run can do; files that mention no cloud cannot mean it. */
const OF_A_SERVICE: NotYet[] = [
  {
    path: 'port',
    when: (_, { tree }) => !mentionsCloud(tree),
    instead: 'make the program listen on $PORT, or hand it over: `run: server --port $PORT`',
  },
  {
    path: 'public',
    what: 'public: false',
    when: (value, { tree, around, environment }) =>
      (value === false || value === 'false') &&
      child(around, 'routes') !== undefined &&
      // In development nobody else gets there.
      !(environment === 'development' && mentionsCloud(tree)) &&
      runtimeOf(tree, environment) !== 'cloud-run',
    instead: 'leave `routes` out and let other services ask it by ${services.NAME.url}',
  },
];

const EVERYWHERE: NotYet[] = [
  {
    path: 'buckets.*.url',
    what: 'a bucket that exists already',
    instead: 'leave `url` out, or give services the address of the bucket in `env`',
  },
  { path: 'external', instead: 'check these systems with what you use today' },
  { path: 'alerts', instead: 'watch `evenkeel status --json` with what you use today' },
  { path: 'backups', instead: 'keep the backups that you have' },
  { path: 'environments.*.approve.groups', instead: 'use `approve: { people: 1 }`' },
  {
    path: 'environments.*.runtime',
    what: 'the runtime `docker`',
    when: (value) => value === 'docker',
    instead: 'leave `runtime` out, or use `cloud-run`',
  },
  ...['services.*', 'environments.*.services.*'].flatMap((at) =>
    OF_A_SERVICE.map((rule) => ({ ...rule, path: `${at}.${rule.path}`, what: rule.what ?? rule.path })),
  ),
];

/** @param environment the one that was chosen: what is written for all of them is looked at for this one. */
export function notYetAvailable(tree: Tree, environment: string): Problem[] {
  return EVERYWHERE.flatMap((rule) =>
    matches(tree, rule.path.split('.')).flatMap(({ path, value, around }) => {
      if (value.kind === 'scalar' && value.value === null) return [];
      const where = { tree, around, environment: path[0] === 'environments' ? (path[1] ?? environment) : environment };
      if (rule.when !== undefined && !rule.when(toPlain(value), where)) return [];
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
