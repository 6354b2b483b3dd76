import type { CloudDatabase } from '../../../domain/cloud/config.ts';
import type { CloudScope } from '../../../ports/cloud.ts';
import { called, type GoogleHttp } from '../../../platform/google/http.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { type Clients, lazyClients } from './clients.ts';
import { type PolicyEditor, policyEditor } from './policy.ts';

/** What all kinds share: where they are, how they ask, and who waits for whom. */
export interface Google {
  scope: CloudScope;
  http: GoogleHttp;
  clients: Clients;
  /** Of the file; null where no file says (a clean-up of what was left behind). */
  database: CloudDatabase | null;
  policy: PolicyEditor;
  projectNumber(signal: AbortSignal): Promise<string>;
  /** Who pays, asked once for all who look at the same time; remembered only once somebody does: one may be linked meanwhile. */
  billing(signal: AbortSignal): Promise<BillingInfo>;
  /** APIs that this process switched on, and when (wall time, ms): for a while Google goes on saying that they are off. */
  enabled: Map<string, number>;
  /** One at a time for each key: Cloud SQL does one thing to an instance at once. */
  turn<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function openDriver(scope: CloudScope, http: GoogleHttp, database: CloudDatabase | null): Google {
  const turns = new Map<string, Promise<unknown>>();
  let number: Promise<string> | null = null;
  let billing: Promise<BillingInfo> | null = null;
  const clients = lazyClients(http);
  return {
    scope,
    http,
    clients,
    database,
    enabled: new Map(),
    policy: policyEditor(scope.cloudProject, clients, http),
    projectNumber: (signal) =>
      (number ??= findProjectNumber(scope.cloudProject, http, clients, signal).catch((error: unknown) => {
        number = null;
        throw error;
      })),
    billing(signal) {
      const ask = (): Promise<BillingInfo> => {
        const forget = (): void => void (billing = billing === asked ? null : billing);
        const asked = findBilling(scope.cloudProject, http, signal);
        asked.then(({ billingEnabled }) => billingEnabled === true || forget(), forget);
        return (billing = asked);
      };
      // Whoever asked before may have left meanwhile.
      return billing === null ? ask() : billing.catch(ask);
    },
    turn(key, work) {
      const mine = (turns.get(key) ?? Promise.resolve()).then(work, work);
      turns.set(key, mine);
      return mine;
    },
  };
}

export interface BillingInfo {
  billingAccountName?: string;
  billingEnabled?: boolean;
}

const findBilling = (project: string, http: GoogleHttp, signal: AbortSignal): Promise<BillingInfo> =>
  http.request('GET', `https://cloudbilling.googleapis.com/v1/projects/${project}/billingInfo`, { signal });

async function findProjectNumber(
  project: string,
  http: GoogleHttp,
  clients: Clients,
  signal: AbortSignal,
): Promise<string> {
  const manager = await clients.cloudresourcemanager();
  try {
    const { name } = await called(manager.projects.get({ name: `projects/${project}` }, { signal }));
    return (name ?? '').replace('projects/', '');
  } catch (error) {
    if (error instanceof GoogleRefusal && (error.code === 'cloud-not-found' || error.code === 'cloud-permission'))
      throw projectUnknown(project, error);
    if (!(error instanceof GoogleRefusal) || error.code !== 'cloud-api-disabled') throw error;
    // Before the first set-up that API may be off; the one that switches APIs on knows the number, too.
    const usage = await http.request<{ parent?: string }>(
      'GET',
      `https://serviceusage.googleapis.com/v1/projects/${project}/services/serviceusage.googleapis.com`,
      { signal },
    );
    return (usage.parent ?? '').replace('projects/', '');
  }
}

/** Google says the same of a project that is not there and of one that is nobody's business. */
const projectUnknown = (project: string, { where, why }: GoogleRefusal): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-project-unknown',
    what: `there is no cloud project ${project}, or this account may not see it`,
    ...(where === null ? {} : { where }),
    ...(why === null ? {} : { why }),
    next: 'look at `cloud.project` in evenkeel.yaml (`gcloud projects list` names those of your account), or ask an owner of it for roles/browser',
  });
