import { invalid } from '../../core/google-error.ts';
import type { Project } from '../../core/projects.ts';
import type { World } from '../../core/world.ts';
import type { JsonObject } from '../../json.ts';

export interface Step {
  name?: string;
  args?: string[];
  env?: string[];
  dir?: string;
  id?: string;
  entrypoint?: string;
  script?: string;
  allowFailure?: boolean;
  status?: BuildStatus;
  exitCode?: number;
  timing?: Timing;
}

interface Timing {
  startTime: string;
  endTime: string;
}

export type BuildStatus = 'QUEUED' | 'WORKING' | 'SUCCESS' | 'FAILURE' | 'INTERNAL_ERROR' | 'TIMEOUT' | 'CANCELLED';

/** A build as Cloud Build writes it. */
export interface Build {
  id: string;
  /** `projects/<number>/locations/<location>/builds/<id>` */
  name: string;
  projectId: string;
  status: BuildStatus;
  statusDetail?: string;
  createTime: string;
  startTime?: string;
  finishTime?: string;
  source?: { storageSource?: { bucket?: string; object?: string; generation?: string } };
  steps: Step[];
  images?: string[];
  results?: { images?: { name: string; digest: string; pushTiming?: Timing }[]; buildStepImages?: string[] };
  timing?: Record<string, Timing>;
  failureInfo?: { type: string; detail: string };
  logsBucket?: string;
  logUrl?: string;
  timeout: string;
  options?: { logging?: string; defaultLogsBucketBehavior?: string; substitutionOption?: string; env?: string[] };
  substitutions?: Record<string, string>;
  serviceAccount?: string;
  tags?: string[];
}

/** Said by the caller alone; all else in a build is what became of it. */
const GIVEN = [
  'source',
  'steps',
  'images',
  'logsBucket',
  'timeout',
  'options',
  'substitutions',
  'serviceAccount',
  'tags',
  'queueTtl',
  'artifacts',
  'availableSecrets',
];

/** A new build of what was asked for, its variables replaced. Throws 400 for what Cloud Build refuses. */
export function newBuild(
  world: World,
  body: JsonObject,
  { project, location, id, now }: { project: Project; location: string; id: string; now: string },
): Build {
  const given = Object.fromEntries(
    GIVEN.flatMap((field) => (body[field] === undefined ? [] : [[field, body[field]] as const])),
  );
  const asked = given as unknown as Build;
  if ((asked.steps ?? []).length === 0) throw bad('build.steps', 'must specify at least one step');
  for (const field of ['artifacts', 'availableSecrets'])
    if (body[field] !== undefined) throw bad(`build.${field}`, 'the emulator does not model it');
  const { logging, defaultLogsBucketBehavior } = asked.options ?? {};
  const logsSomewhere =
    asked.logsBucket !== undefined ||
    defaultLogsBucketBehavior === 'REGIONAL_USER_OWNED_BUCKET' ||
    logging === 'CLOUD_LOGGING_ONLY' ||
    logging === 'NONE';
  if (asked.serviceAccount !== undefined && !logsSomewhere)
    throw bad(
      'build.service_account',
      "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options",
    );
  const account = asked.serviceAccount?.split('/').at(-1);
  if (
    account !== undefined &&
    account.endsWith('.iam.gserviceaccount.com') &&
    !world.state.table('iam.serviceAccounts').has(account)
  )
    throw bad('build.service_account', `service account ${account} was not found`);
  const values: Record<string, string> = {
    PROJECT_ID: project.id,
    PROJECT_NUMBER: project.number,
    BUILD_ID: id,
    LOCATION: location,
    ...asked.substitutions,
  };
  const loose = asked.options?.['substitutionOption'] === 'ALLOW_LOOSE';
  const replace = (text: string) => substituted(text, values, loose);
  const steps = asked.steps.map((step) => ({
    ...step,
    ...(step.args === undefined ? {} : { args: step.args.map(replace) }),
    ...(step.env === undefined ? {} : { env: step.env.map(replace) }),
    ...(step.dir === undefined ? {} : { dir: replace(step.dir) }),
    ...(step.name === undefined ? {} : { name: replace(step.name) }),
  }));
  for (const [index, { name }] of steps.entries())
    if (name === undefined || name === '') throw bad(`build.steps[${index}].name`, 'must not be empty');
  return {
    ...asked,
    steps,
    ...(asked.images === undefined ? {} : { images: asked.images.map(replace) }),
    ...(asked.tags === undefined ? {} : { tags: asked.tags.map(replace) }),
    id,
    name: `projects/${project.number}/locations/${location}/builds/${id}`,
    projectId: project.id,
    status: 'QUEUED',
    createTime: now,
    timeout: asked.timeout ?? '3600s',
    logUrl: `https://console.cloud.google.com/cloud-build/builds/${id}?project=${project.number}`,
    ...(logsToStorage(asked) ? { logsBucket: asked.logsBucket ?? `gs://${defaultLogsBucket(project)}` } : {}),
  };
}

const bad = (field: string, description: string) =>
  invalid(`invalid build: invalid build: ${field}: ${description}`, [{ field, description }]);

export const defaultLogsBucket = ({ number }: Project): string => `${number}.cloudbuild-logs.googleusercontent.com`;

const logsToStorage = ({ options }: Build): boolean =>
  !['CLOUD_LOGGING_ONLY', 'STACKDRIVER_ONLY', 'NONE'].includes(options?.logging ?? '');

/** Known and not replaced when nobody says them: those of triggers are empty. */
const OF_TRIGGERS = new Set([
  'REPO_NAME',
  'BRANCH_NAME',
  'TAG_NAME',
  'REVISION_ID',
  'COMMIT_SHA',
  'SHORT_SHA',
  'TRIGGER_NAME',
]);

function substituted(text: string, values: Readonly<Record<string, string>>, loose: boolean): string {
  return text.replace(
    /\$\$|\$(?:([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})/g,
    (all, plain?: string, braced?: string) => {
      if (all === '$$') return '$';
      const name = plain ?? braced ?? '';
      const value = values[name];
      if (value !== undefined) return value;
      if (OF_TRIGGERS.has(name) || loose) return '';
      throw bad('build.substitutions', `key in the template "${name}" is not a valid built-in substitution`);
    },
  );
}

export const buildFrom = (row: JsonObject): Build => row as unknown as Build;

/** `status="SUCCESS"`, `tags="x"`, joined by AND. */
export function fitsFilter(filter: string | undefined): (build: Build) => boolean {
  const terms = (filter ?? '').split(/\s+AND\s+/i).filter((term) => term.trim() !== '');
  const tests = terms.map((term) => {
    const [, field, wanted = ''] = /^\s*\(?\s*(status|tags|build_id|id)\s*=\s*"?([^")]*)"?\s*\)?\s*$/.exec(term) ?? [];
    if (field === undefined) throw invalid(`invalid filter: the emulator does not model '${term}'`);
    return (build: Build) =>
      field === 'status'
        ? build.status === wanted
        : field === 'tags'
          ? (build.tags ?? []).includes(wanted)
          : build.id === wanted;
  });
  return (build) => tests.every((test) => test(build));
}
