/** `PROJECT.DATASET.TABLE`; Google names the table by the billing account. */
const EXPORT =
  /^((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9])\.([A-Za-z0-9_]{1,1024})\.(gcp_billing_export_(resource_)?v1_[0-9A-F]{6}_[0-9A-F]{6}_[0-9A-F]{6})$/;

/** Whether a text names the table of a usage cost export, standard or detailed, and can hold nothing else. */
export const isBillingExport = (text: string): boolean => EXPORT.test(text);

export interface BillingExport {
  project: string;
  dataset: string;
  table: string;
  /** The detailed export says of many lines which resource they are for. */
  detailed: boolean;
}

/** Null when it is the name of no such table. */
export function billingExportOf(id: string): BillingExport | null {
  const [, project, dataset, table, detailed] = EXPORT.exec(id) ?? [];
  if (project === undefined || dataset === undefined || table === undefined) return null;
  return { project, dataset, table, detailed: detailed !== undefined };
}
