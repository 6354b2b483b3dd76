import { EvenkeelError } from '../../ports/errors.ts';

/** Something Google did not do: a status and a reason beside what people read. */
export class GoogleRefusal extends EvenkeelError {
  /** Of HTTP; null when no answer came. */
  readonly status: number | null;
  /** Google's word for it, such as `SERVICE_DISABLED` or `notFound`; '' when it has none. */
  readonly reason: string;
  /** Which API it was, such as `run.googleapis.com`. */
  readonly api: string;

  constructor(
    details: ConstructorParameters<typeof EvenkeelError>[0] & { status: number | null; reason: string; api: string },
  ) {
    super(details);
    this.api = details.api;
    this.status = details.status;
    this.reason = details.reason;
  }
}

/** What was asked, for messages: never with a query, a header or a body. */
export interface Asked {
  method: string;
  host: string;
  path: string;
}

export interface ErrorBody {
  message: string;
  /** The most exact word that there is. */
  reason: string;
  /** `PERMISSION_DENIED` and the like. */
  status: string;
  details: Record<string, string>;
}

/** Reads both shapes in which Google's APIs say why; also text that is neither. */
export function readErrorBody(text: string): ErrorBody {
  const error = field(parsed(text), 'error');
  const details = list(field(error, 'details')).find((one) => string(field(one, '@type')).endsWith('ErrorInfo'));
  const [first] = list(field(error, 'errors'));
  const status = string(field(error, 'status'));
  return {
    message: string(field(error, 'message')) || plain(text),
    reason: string(field(details, 'reason')) || string(field(first, 'reason')) || status,
    status,
    details: strings(field(details, 'metadata')),
  };
}

/** The code of a refusal by a database that rests, or is still being made. */
export const NOT_RUNNING = 'cloud-not-running';

/** Services and proxies answer with whole pages: what a person would read on one. */
const plain = (text: string): string =>
  (/<[a-z!]/i.test(text)
    ? text.replaceAll(/<(title|style|script)\b[^>]*>[\s\S]*?<\/\1>/gi, ' ').replaceAll(/<[^>]*>/g, ' ')
    : text
  )
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300);

/** What an answer that is no success means, and what to do about it. `renew`: how credentials that are refused are renewed. */
export function refusalOf(
  asked: Asked,
  status: number,
  text: string,
  renew = 'gcloud auth application-default login',
): GoogleRefusal {
  const body = readErrorBody(text);
  const api = body.details['service'] ?? serviceNamed(body.message) ?? asked.host;
  const common = {
    status,
    api,
    reason: body.reason,
    where: `${asked.method} https://${asked.host}${asked.path}`,
    why: `${status}${body.status === '' ? '' : ` ${body.status}`}: ${body.message}`,
  };
  const make = (code: string, what: string, next: string, retryable = false): GoogleRefusal =>
    new GoogleRefusal({ ...common, code, what, next, retryable });

  if (status === 401) return make('cloud-credentials', 'Google does not accept the credentials', renew);
  if (isQuota(status, body))
    return make(
      'cloud-quota',
      `${asked.host} refuses more calls or more resources for now (quota)`,
      'wait a few minutes and try again, or ask for more: https://console.cloud.google.com/iam-admin/quotas',
      true,
    );
  if (/SERVICE_DISABLED|accessNotConfigured/.test(body.reason) || (status === 403 && OFF.test(body.message)))
    return make('cloud-api-disabled', `the API ${api} is off in this project`, 'evenkeel cloud enable');
  if (/BILLING_DISABLED|billingNotEnabled|UREQ_PROJECT_BILLING/.test(body.reason) || isBilling(status, body.message))
    return make(
      'cloud-billing-off',
      'billing is off in this cloud project, so nothing can be made in it',
      'link a billing account: https://console.cloud.google.com/billing/linkedaccount',
    );
  if (status === 403) return permissionMissing(make, body, asked);
  if (status === 404) return make('cloud-not-found', `Google knows no such thing`, 'evenkeel cloud status');
  if (status === 409 || status === 412)
    return make('cloud-conflict', 'somebody else changed the same thing meanwhile', 'run the same again', true);
  if (body.reason === 'invalidState')
    return make(
      NOT_RUNNING,
      'the database does not run, so nothing in it can be seen or changed',
      '`evenkeel cloud start` wakes it if it rests; `evenkeel cloud status` says what it does, and what to type if it never came up',
    );
  if (status >= 500 || status === 408)
    return make('cloud-unavailable', `${asked.host} had a failure of its own`, 'try again in a minute', true);
  return make(
    'cloud-refused',
    'Google refuses the request',
    'look at the reason above, and at the key of evenkeel.yaml that it names',
  );
}

/** No answer came. `cause` is what the socket said. */
export function unreachable({ method, host, path }: Asked, cause: unknown): GoogleRefusal {
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new GoogleRefusal({
    code: 'cloud-unreachable',
    what: `${host} cannot be reached`,
    where: `${method} https://${host}${path}`,
    why,
    next: 'look at the network (a proxy is named by HTTPS_PROXY), and try again',
    retryable: true,
    status: null,
    api: host,
    reason: '',
    cause,
  });
}

/** Which role holds a permission, by how it begins; the narrowest that set-up gets along with. */
const ROLES: readonly [prefix: string, role: string][] = [
  ['run.', 'roles/run.admin'],
  ['cloudsql.', 'roles/cloudsql.admin'],
  ['storage.', 'roles/storage.admin'],
  ['secretmanager.', 'roles/secretmanager.admin'],
  ['artifactregistry.', 'roles/artifactregistry.admin'],
  ['cloudbuild.', 'roles/cloudbuild.builds.editor'],
  ['serviceusage.', 'roles/serviceusage.serviceUsageAdmin'],
  ['iam.serviceAccountKeys.', 'roles/iam.serviceAccountKeyAdmin'],
  ['iam.serviceAccounts.actAs', 'roles/iam.serviceAccountUser'],
  ['iam.serviceAccounts.', 'roles/iam.serviceAccountAdmin'],
  ['resourcemanager.projects.setIamPolicy', 'roles/resourcemanager.projectIamAdmin'],
  ['resourcemanager.', 'roles/browser'],
  ['vpcaccess.', 'roles/vpcaccess.admin'],
  ['logging.', 'roles/logging.admin'],
  ['monitoring.', 'roles/monitoring.editor'],
  ['billing.budgets.', 'roles/billing.costsManager'],
  ['billing.', 'roles/billing.user'],
  ['container.', 'roles/container.admin'],
  ['bigquery.jobs.', 'roles/bigquery.jobUser'],
  ['bigquery.', 'roles/bigquery.dataViewer'],
];

function permissionMissing(
  make: (code: string, what: string, next: string) => GoogleRefusal,
  { message, details }: ErrorBody,
  asked: Asked,
): GoogleRefusal {
  const permission =
    details['permission'] ??
    /['"]([a-z][\w]*(?:\.[\w]+){2,})['"]|does not have ([\w.]+) (?:access|permission)|Permission ([\w.]+) denied/
      .exec(message)
      ?.slice(1)
      .find(Boolean);
  const named = permission ?? `${asked.host.split('.')[0] ?? ''}.`;
  const role = ROLES.find(([prefix]) => named.startsWith(prefix))?.[1] ?? 'roles/editor';
  return make(
    'cloud-permission',
    permission === undefined
      ? `this account may not do that at ${asked.host}`
      : `this account lacks the permission ${permission}`,
    `ask an owner of the project for ${role}: gcloud projects add-iam-policy-binding PROJECT --member=user:YOU --role=${role}`,
  );
}

const isQuota = (status: number, { reason, status: word }: ErrorBody): boolean =>
  status === 429 || word === 'RESOURCE_EXHAUSTED' || (status === 403 && /rate_?limit|quota/i.test(reason));

const OFF = /API has not been used in project \S+ before or it is disabled/;

const isBilling = (status: number, message: string): boolean =>
  (status === 403 || status === 400) &&
  /billing (account|is)[^.]*(disabled|not|closed|absent)|enable billing/i.test(message);

const serviceNamed = (message: string): string | undefined => /\b([a-z]+\.googleapis\.com)\b/.exec(message)?.[1];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const string = (value: unknown): string => (typeof value === 'string' ? value : '');
const strings = (value: unknown): Record<string, string> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
    : {};
