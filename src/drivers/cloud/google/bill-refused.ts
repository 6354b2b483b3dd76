import type { BillingExport } from '../../../domain/cloud/price/billing-export.ts';
import { GoogleRefusal } from '../../../platform/google/refusal.ts';
import { EvenkeelError } from '../../../ports/errors.ts';

/** Why a bill cannot be read, with what helps: the export may be of another project, and its owner another person. */
export function billRefused(error: unknown, { project, dataset, table }: BillingExport, cloudProject: string): unknown {
  if (!(error instanceof GoogleRefusal)) return error;
  const name = `${project}.${dataset}.${table}`;
  const of = (what: string, next: string): EvenkeelError =>
    new EvenkeelError({
      code: 'cloud-bill-unknown',
      what,
      ...(error.where === null ? {} : { where: error.where }),
      ...(error.why === null ? {} : { why: error.why }),
      next,
      cause: error,
    });
  if (error.code === 'cloud-not-found')
    return of(
      `there is no table ${name}, or not yet`,
      'look at `cloud.billingExport` in evenkeel.yaml and at https://console.cloud.google.com/billing/export; a new export has its table within a day',
    );
  if (error.code === 'cloud-permission')
    // Whether one may ask at all is a matter of the one project, whether one may read of the other.
    return /bigquery\.jobs\./.test(error.message)
      ? of(
          `this account may run no query in ${cloudProject}`,
          `gcloud projects add-iam-policy-binding ${cloudProject} --member=user:YOU --role=roles/bigquery.jobUser`,
        )
      : of(
          `this account may not read ${name}`,
          `ask an owner of ${project} for roles/bigquery.dataViewer on the dataset ${dataset}`,
        );
  if (error.reason === 'bytesBilledLimitExceeded')
    return of(
      `${name} is too large to be asked: for one month BigQuery would read, and have paid, more than 10 GiB`,
      'look at the bill in the console: https://console.cloud.google.com/billing',
    );
  if (error.status === 400 && error.code === 'cloud-refused')
    return of(
      `BigQuery does not find the columns of a usage cost export in ${name}`,
      'look at `cloud.billingExport` in evenkeel.yaml',
    );
  return error;
}
