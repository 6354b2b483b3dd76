import type { EntryConfig } from '../../domain/project/entry.ts';
import { suggest } from '../../lib/suggest.ts';
import { problemAt } from '../problem.ts';
import type { Complaint, Problem } from '../problem.ts';
import type { WrittenService } from '../schema/service.ts';
import { descend, keyPlace, nearest } from '../tree.ts';
import type { Tree } from '../tree.ts';

interface Subject {
  name: string;
  written: WrittenService;
  /** The merged tree that `written` was read from. */
  tree: Tree;
  /** All services. */
  names: ReadonlyMap<string, { static: boolean }>;
  secrets: ReadonlySet<string>;
}

type Report = (path: readonly string[], complaint: Omit<Complaint, 'code'> & { code?: Complaint['code'] }) => void;

const FOR_ROUTES = ['access', 'limits', 'errorPages', 'maintenance'];

/** What a service says about who gets in, and that cannot be so. */
export function entryContradictions(subject: Subject): Problem[] {
  const problems: Problem[] = [];
  const { name, written, tree } = subject;
  const report: Report = (path, complaint) => {
    const at = descend(tree, path)?.path ?? [...nearest(tree, path).path];
    problems.push(problemAt(keyPlace(tree, path), at, { code: 'contradiction', ...complaint }));
  };
  if (descend(tree, ['routes']) === undefined)
    for (const key of FOR_ROUTES)
      if (descend(tree, [key]) !== undefined) {
        const message = `\`${key}\` is about requests from outside, and no route leads to \`${name}\``;
        report([key], { message, hint: `add \`routes\`, or take out \`${key}\`` });
      }
  checkAccess(subject, written.access, ['access'], report);
  (written.routes ?? []).forEach((route, index) => {
    if ('access' in route) checkAccess(subject, route.access, ['routes', String(index), 'access'], report);
  });
  return problems;
}

function checkAccess(
  { names, secrets }: Subject,
  access: WrittenService['access'],
  at: readonly string[],
  report: Report,
): void {
  const { basicAuth, forwardAuth } = access ?? {};
  if (basicAuth !== undefined && basicAuth !== false)
    for (const [user, secret] of Object.entries(basicAuth.users)) {
      if (secrets.has(secret)) continue;
      const meant = suggest(secret, [...secrets]);
      report([...at, 'basicAuth', 'users', user], {
        code: 'unknown-reference',
        message: 'what stands here must be the name of a secret, never a password',
        expected: secrets.size === 0 ? 'a name from `secrets`' : `one of ${[...secrets].join(', ')}`,
        hint:
          meant === null
            ? 'add the name to `secrets`, and set it: `evenkeel secrets set NAME`'
            : `did you mean "${meant}"?`,
      });
    }
  if (forwardAuth === undefined || forwardAuth === false) return;
  const path = [...at, 'forwardAuth'];
  const { service, url } = forwardAuth;
  if ((service === undefined) === (url === undefined)) {
    report(path, { message: '`forwardAuth` asks a `service` or a `url`', hint: 'write one of them' });
    return;
  }
  if (url !== undefined && forwardAuth.path !== undefined)
    report([...path, 'path'], { message: '`path` belongs to `service`', hint: 'write it into the `url`' });
  if (service === undefined) return;
  const known = names.get(service);
  if (known === undefined) {
    const meant = suggest(service, [...names.keys()]);
    report([...path, 'service'], {
      code: 'unknown-reference',
      message: `there is no service \`${service}\``,
      expected: `one of ${[...names.keys()].join(', ')}`,
      hint: meant === null ? null : `did you mean "${meant}"?`,
    });
  } else if (known.static)
    report([...path, 'service'], { message: `\`${service}\` is a folder of static files and judges nobody` });
}

/** Services that are asked who gets in. */
export const judgesOf = (entry: EntryConfig | undefined): string[] =>
  (entry?.services ?? []).flatMap(({ policy, routes }) =>
    [policy, ...routes.map((route) => route.policy)].flatMap(({ forwardAuth }) =>
      forwardAuth !== null && 'service' in forwardAuth.to ? [forwardAuth.to.service] : [],
    ),
  );
