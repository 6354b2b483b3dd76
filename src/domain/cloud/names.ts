import { hash53 } from '../../lib/hash.ts';

/** Names in the cloud, made from `<project>-<environment>-<thing>`. */

/** Longest name that each kind of thing may have. */
export const NAME_LIMITS = {
  account: 30,
  connector: 25,
  /** It may have 49, and 46 together with a tag, which every release needs (run/names.ts). */
  service: 43,
  bucket: 63,
  repository: 63,
  /** Together with the project's id it may have 98. */
  'sql-instance': 60,
  secret: 255,
  budget: 60,
  /** What people read: display names. */
  shown: 100,
} as const;

const HASH_LENGTH = 6;

/**
 * `<project>-<environment>-<thing>`, of lower-case letters, digits and dashes. What is longer than the limit is cut and
 * ends in a short hash of the whole, so that two that begin alike stay two.
 */
export function cloudName(
  scope: { project: string; environment: string },
  thing: string,
  limit: number = NAME_LIMITS.shown,
): string {
  return cutName([scope.project, scope.environment, thing].filter((part) => part !== '').join('-'), limit);
}

export function cutName(whole: string, limit: number): string {
  const plain = whole
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  if (plain.length <= limit) return plain;
  const hash = hash53(whole).toString(36).padStart(HASH_LENGTH, '0').slice(-HASH_LENGTH);
  return `${plain.slice(0, limit - HASH_LENGTH - 1).replace(/-+$/, '')}-${hash}`;
}

/** `JWT_SECRET` -> `jwt-secret` */
export const dashed = (variable: string): string => variable.toLowerCase().replaceAll('_', '-');

/** `temp-files` -> `TEMP_FILES` */
export const asVariable = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');

/** The variable by which the others know the address of a service. */
export const urlVariableOf = (service: string): string => `${asVariable(service)}_URL`;

/** The variable in which services find the name of a bucket. */
export const bucketVariableOf = (key: string): string => `GCS_BUCKET_${asVariable(key)}`;

/** What the variables of a database begin with: `DATABASE` for `main`, `REPORTS_DATABASE` for `reports`. */
export const databasePrefix = (key: string): string => (key === 'main' ? 'DATABASE' : `${asVariable(key)}_DATABASE`);

/** As Cloud Run's socket and the proxy know an instance: `PROJECT:REGION:INSTANCE`. */
export const connectionName = (cloud: { project: string; region: string }, instance: string): string =>
  `${cloud.project}:${cloud.region}:${instance}`;

/** The connector that is made for an environment whose network is reached by one. */
export const connectorName = (scope: { project: string; environment: string }): string =>
  cloudName(scope, 'net', NAME_LIMITS.connector);

/** Budgets bear no labels: by this name alone it is known whose one is. */
export const budgetName = (scope: { project: string; environment: string }): string =>
  cloudName(scope, '', NAME_LIMITS.budget);

/** The bucket in which the sources of builds wait; one for all that share a cloud project. */
export const buildBucketName = (cloudProject: string): string => `${cloudProject.replaceAll(/[:.]/g, '-')}${BUILDS}`;
export const isBuildBucket = (name: string): boolean => name.endsWith(BUILDS);
const BUILDS = '-evenkeel-builds';

/** The whole address of an account; one of an organization's domain, `example.com:shop`, has its parts turned round there. */
export const accountEmail = (name: string, cloudProject: string): string =>
  `${name}@${cloudProject.split(':').toReversed().join('.')}.iam.gserviceaccount.com`;

/** Where images of a service are kept, without tag. */
export const imageOf = (
  cloud: { project: string; region: string; repository: { name: string } },
  service: string,
): string =>
  // A project of an organization's domain, `example.com:shop`, is a folder more here.
  `${cloud.region}-docker.pkg.dev/${cloud.project.replace(':', '/')}/${cloud.repository.name}/${service}`;

/**
 * Hosts at which a service on Cloud Run answers, in both forms that Google gives them, and no other's whose name begins
 * alike; a regular expression without anything that filters and Terraform would want escaped.
 */
export const hostPattern = (name: string): string =>
  `${name}-([0-9]+[.][a-z0-9-]+|[a-z0-9]{10}-[a-z]{2,3}[.]a)[.]run[.]app`;

/** Where a service on Cloud Run will answer, before it was ever deployed. */
export const foreseenUrl = (name: string, cloud: { projectNumber: string; region: string }): string =>
  `https://${name}-${cloud.projectNumber}.${cloud.region}.run.app`;

/**
 * What the alert of a service that is down looks at, as Cloud Monitoring filters. It names hosts and not the check: one
 * whose host changes has to be made anew, which Google refuses while an alert names it, and the alert would go on watching
 * the one that is gone.
 */
export const looksFilter = (service: string): string =>
  `resource.type = "uptime_url" AND metric.type = "monitoring.googleapis.com/uptime_check/check_passed" AND resource.labels.host = monitoring.regex.full_match(${JSON.stringify(hostPattern(service))})`;
