import { accountEmail } from '../names.ts';
import type { Desired, Observed } from '../resource.ts';

export interface Place {
  cloudProject: string;
  region: string;
}

/** What `terraform import` wants to hear, or null when nobody knows it: then the resource has to be looked up by hand. */
export function importId(desired: Desired, observed: Observed, { cloudProject, region }: Place): string | null {
  const { name } = desired;
  const location = desired.location ?? region;
  const project = `projects/${cloudProject}`;
  switch (desired.kind) {
    case 'api':
      return `${cloudProject}/${name}`;
    case 'connector':
      return `${project}/locations/${location}/connectors/${name}`;
    case 'account':
      return `${project}/serviceAccounts/${accountEmail(name, cloudProject)}`;
    case 'role':
      return `${cloudProject} ${desired.attributes.role} ${memberOf(desired.attributes.account, cloudProject)}`;
    case 'repository':
      return `${project}/locations/${location}/repositories/${name}`;
    case 'bucket':
      return `${cloudProject}/${name}`;
    case 'sql-instance':
      return `${project}/instances/${name}`;
    case 'sql-database':
      return `${project}/instances/${desired.attributes.instance}/databases/${below(name, desired.attributes.instance)}`;
    case 'sql-user':
      return `${cloudProject}/${desired.attributes.instance}/${desired.attributes.user}`;
    case 'secret':
      return `${project}/secrets/${name}`;
    case 'audit-logs':
      return `${cloudProject} allServices`;
    case 'log-retention':
      return `${project}/locations/global/buckets/_Default`;
    case 'service':
      return `${project}/locations/${location}/services/${name}`;
    case 'uptime-check':
    case 'alert-policy':
    case 'alert-channel':
    case 'budget':
      return observed.id ?? null;
    case 'cluster':
    case 'job':
      return null;
  }
}

export const memberOf = (account: string, cloudProject: string): string =>
  `serviceAccount:${accountEmail(account, cloudProject)}`;

/** `app` of `main/app`. */
export const below = (name: string, parent: string): string =>
  name.startsWith(`${parent}/`) ? name.slice(parent.length + 1) : name;
