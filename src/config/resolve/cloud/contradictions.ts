import { mixesSecret } from '../../../domain/cloud/variables.ts';
import type { EnvTemplate } from '../../../domain/project/project.ts';
import { problemAt } from '../../problem.ts';
import type { Complaint, Problem } from '../../problem.ts';
import { cloudServiceKeys } from '../../schema/service-cloud.ts';
import type { WrittenService } from '../../schema/service.ts';
import { child, descend, keyPlace, nearest } from '../../tree.ts';
import type { Tree } from '../../tree.ts';

interface Subject {
  name: string;
  written: WrittenService;
  /** The merged tree that `written` was read from. */
  tree: Tree;
  env: EnvTemplate;
  /** Another service uses its url. */
  isAsked: boolean;
}

type Report = (path: readonly string[], complaint: Omit<Complaint, 'code'> & { code?: Complaint['code'] }) => void;

/** Keys of a service that Cloud Run has no way to keep, and why. Refused, since nobody would notice that they do nothing. */
const NOT_ON_CLOUD_RUN: Record<string, string> = {
  static: 'serve the folder by a program, and take `static` out here',
  schedule: 'run it where the runtime is `process`',
  data: 'a container has no disk that stays: use a bucket',
  user: 'the Dockerfile says as whom it runs',
  overlap: 'two revisions run beside each other during a rollout',
  access: 'requests do not come by the edge: let the program look at who asks, or write `public: false`',
  limits: 'requests do not come by the edge: let the program limit them',
  errorPages: 'requests do not come by the edge',
  maintenance: 'requests do not come by the edge',
  stopGrace: 'a container always gets 10s',
};

/** The same of an environment. */
const NOT_OF_CLOUD_RUN_ENVIRONMENTS = [
  'domain',
  'port',
  'bind',
  'tls',
  'trustedProxies',
  'accessLog',
  'errorPages',
  'maintenance',
];

/** Values of a service that cannot be so on Cloud Run. */
export function cloudRunContradictions(subject: Subject): Problem[] {
  const problems: Problem[] = [];
  const { name, written, tree } = subject;
  const report = reporter(tree, problems);
  for (const [key, why] of Object.entries(NOT_ON_CLOUD_RUN)) {
    if (descend(tree, [key]) === undefined) continue;
    const message = `\`${key}\` is not available on Cloud Run: ${why}`;
    report([key], { code: 'not-available', message, hint: `in the environment: \`services.${name}.${key}: null\`` });
  }
  for (const key of ['processes', 'openFiles']) {
    const message = `\`${key}\` is not available on Cloud Run`;
    if (descend(tree, ['resources', key]) !== undefined)
      report(['resources', key], { code: 'not-available', message, hint: 'take it away there' });
  }
  checkRoutes(written, report);
  checkAnswers(subject, report);
  checkLimits(written, report);
  checkImage(written, tree, report);
  checkVariables(subject, report);
  return problems;
}

/** The same of single routes; a host is nothing that an address of Google's own could have. */
function checkRoutes({ routes = [] }: WrittenService, report: Report): void {
  routes.forEach((route, index) => {
    const path = ['routes', String(index)];
    const { access, limits } = 'access' in route ? route : { access: undefined, limits: undefined };
    const { host } = route;
    for (const [key, value] of Object.entries({ access, limits })) {
      if (value === undefined) continue;
      const message = `\`${key}\` is not available on Cloud Run: ${NOT_ON_CLOUD_RUN[key] ?? ''}`;
      report([...path, key], { code: 'not-available', message, hint: 'take it out of the route' });
    }
    if (host === null) return;
    const message = `nothing sends \`${host}\` there: a service on Cloud Run has an address of its own`;
    const hint = `map the domain to the service in the console, or write the route without a host`;
    report(path, { code: 'not-available', severity: 'warning', message, hint });
  });
}

/** What answers nobody has no port to be seen at, and Cloud Run would call each of its revisions broken. */
function checkAnswers({ name, written, tree, isAsked }: Subject, report: Report): void {
  const { routes = [], schedule, port, health, urlVariable } = written;
  const answers = routes.length > 0 || isAsked || health !== undefined || port !== undefined || written.public === true;
  if (answers || schedule !== undefined || urlVariable !== undefined || descend(tree, ['routes']) !== undefined) return;
  report([], {
    code: 'not-available',
    message: `\`${name}\` is a worker (no \`routes\`, no \`health\`, and nobody asks it), and Cloud Run runs only what answers requests`,
    hint: `if it answers, say so: \`health: /PATH\`; if not, keep it in a file of its own whose environment has \`runtime: process\``,
  });
}

function checkLimits({ resources, timeout, instances, concurrency }: WrittenService, report: Report): void {
  const cpu = resources?.cpu ?? 1;
  const memory = resources?.memory;
  if (cpu < 0.08 || cpu > 8 || (cpu > 1 && ![2, 4, 6, 8].includes(cpu))) {
    const expected = 'up to one core, or 2, 4, 6 or 8';
    report(['resources', 'cpu'], { code: 'bad-value', message: `Cloud Run gives an instance ${expected}`, expected });
  }
  if (memory !== undefined && (memory < 128 * 2 ** 20 || memory > 32 * 2 ** 30)) {
    const expected = 'from 128Mi to 32Gi';
    report(['resources', 'memory'], {
      code: 'bad-value',
      message: `Cloud Run gives an instance ${expected}`,
      expected,
    });
  } else if (memory !== undefined) {
    const least =
      memory > 24 * 2 ** 30 ? 8 : memory > 16 * 2 ** 30 ? 6 : memory > 8 * 2 ** 30 ? 4 : memory > 4 * 2 ** 30 ? 2 : 0;
    const message = `with so much memory Cloud Run wants ${least} cores or more`;
    if (cpu < least) report(['resources', 'memory'], { message, hint: `write \`cpu: ${least}\`, or less memory` });
  }
  if (timeout !== undefined && timeout > 3_600_000) {
    report(['timeout'], {
      code: 'bad-value',
      message: 'a request on Cloud Run may take an hour at most',
      expected: 'at most 1h',
    });
  }
  const wanted = concurrency ?? (typeof instances === 'object' ? instances.concurrency : undefined);
  const at = concurrency === undefined ? ['instances', 'concurrency'] : ['concurrency'];
  if (cpu < 1 && (wanted ?? 1) > 1) {
    report(at, {
      message: 'with less than one core Cloud Run gives an instance one request at a time',
      hint: 'write `cpu: 1`',
    });
  } else if ((wanted ?? 1) > 1000) {
    report(at, {
      code: 'bad-value',
      message: 'Cloud Run gives an instance 1000 requests at most',
      expected: 'at most 1000',
    });
  }
  if (typeof instances === 'object' && instances.max === 0) {
    report(['instances'], { message: 'without any instance nobody would answer', hint: 'write `{ min: 0, max: 10 }`' });
  }
}

function checkImage(written: WrittenService, tree: Tree, report: Report): void {
  if (written.image === undefined) return;
  for (const key of ['dockerfile', 'context']) {
    if (child(tree, key) === undefined) continue;
    report([key], { message: `\`${key}\` builds an image, and \`image\` is one already`, hint: 'keep one of them' });
  }
}

const RESERVED = /^(K_SERVICE|K_REVISION|K_CONFIGURATION|CLOUD_RUN_.*|X_GOOGLE_.*)$/;

function checkVariables({ env, tree }: Subject, report: Report): void {
  for (const [name, parts] of Object.entries(env)) {
    const path = ['env', name];
    if (RESERVED.test(name)) report(path, { message: `\`${name}\` is set by Cloud Run`, hint: 'choose another name' });
    if (!mixesSecret(parts)) continue;
    const hint = 'make the whole value a secret, or let the program put it together';
    const message = `\`${name}\` holds a secret beside something else, and Cloud Run gives secrets as they are only`;
    report(descend(tree, path) === undefined ? [] : path, { message, hint });
  }
}

/** What an environment says that goes to its edge, where Cloud Run has none. */
export function cloudRunEnvironment(tree: Tree, environment: string): Problem[] {
  const problems: Problem[] = [];
  for (const key of NOT_OF_CLOUD_RUN_ENVIRONMENTS) {
    const path = ['environments', environment, key];
    const value = descend(tree, path);
    if (value === undefined || (value.kind === 'scalar' && value.value === null)) continue;
    problems.push(
      problemAt(keyPlace(tree, path), path, {
        code: 'not-available',
        message: `\`${key}\` is not available on Cloud Run: requests do not come by the edge`,
        hint: 'take it out',
      }),
    );
  }
  return problems;
}

/** Keys about Cloud Run in a file that has nothing in the cloud, and what only Cloud Run can do, elsewhere. */
export function processContradictions({ name, written, tree }: Subject, inCloud: boolean): Problem[] {
  const problems: Problem[] = [];
  const report = reporter(tree, problems);
  const { instances } = written;
  if (inCloud) return problems;
  for (const key of Object.keys(cloudServiceKeys)) {
    if (key === 'database' || descend(tree, [key]) === undefined) continue;
    const message = `\`${key}\` is about Cloud Run, and nothing here is in the cloud`;
    report([key], { message, hint: 'take it out, or add `cloud: { project: ID, region: REGION }`' });
  }
  if (typeof instances === 'object' && instances.min === 0) {
    const message = `\`${name}\` would have no instance, which only Cloud Run can start when a request comes`;
    report(['instances', 'min'], { code: 'bad-value', message, expected: 'at least 1', hint: null });
  }
  return problems;
}

/** Two services known by one variable, or one known by a variable that means something else. */
export function urlVariableProblems(
  services: readonly { name: string; tree: Tree; variable: string }[],
  taken: EnvTemplate,
): Problem[] {
  const seen = new Map<string, string>();
  return services.flatMap(({ name, tree, variable }) => {
    const other = seen.get(variable) ?? (taken[variable] === undefined ? undefined : 'something else');
    seen.set(variable, `the address of \`${name}\``);
    if (other === undefined) return [];
    const message = `\`${variable}\` would be the address of \`${name}\`, and is ${other} already`;
    const path = child(tree, 'urlVariable') === undefined ? [] : ['urlVariable'];
    return [
      problemAt(keyPlace(tree, path), [...tree.path, ...path], {
        code: 'contradiction',
        message,
        hint: 'name another by `urlVariable`',
      }),
    ];
  });
}

function reporter(tree: Tree, problems: Problem[]): Report {
  return (path, complaint) => {
    const at = descend(tree, path)?.path ?? [...nearest(tree, path).path];
    problems.push(problemAt(keyPlace(tree, path), at, { code: 'contradiction', ...complaint }));
  };
}
