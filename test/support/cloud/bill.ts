import type { BillLine } from '../../../src/domain/cloud/price/bill.ts';

export const EXPORT = 'shop-billing.costs.gcp_billing_export_v1_0A1B2C_3D4E5F_6A7B8C';
export const DETAILED = 'shop-billing.costs.gcp_billing_export_resource_v1_0A1B2C_3D4E5F_6A7B8C';

/** One line of a bill of 1.00 USD for things that bear no label, but for what is said. */
export const billLine = (
  service: string,
  { labels = {}, ...more }: Partial<Omit<BillLine, 'labels'>> & { labels?: Partial<BillLine['labels']> } = {},
): BillLine => ({
  currency: 'USD',
  service,
  labels: { project: null, environment: null, service: null, role: null, ...labels },
  resource: null,
  cost: 1_000_000_000n,
  credits: 0n,
  until: Date.UTC(2026, 10, 20),
  ...more,
});

export interface Used {
  service: string;
  cost: number;
  labels?: Record<string, string>;
  credits?: number[];
  project?: string | null;
  month?: string;
  /** ISO; when it ended, and when it was exported. */
  at?: string;
  resource?: string;
}

/** A row as Google exports it. */
export const exported = (used: Used) => {
  const { service, cost, labels = {}, credits = [], project = 'demo-project', at = '2026-11-20T10:00:00Z' } = used;
  return {
    service: { id: '0000-0000-0000', description: service },
    sku: { id: '0000-0000-0001', description: `${service} by the hour` },
    usage_start_time: at,
    usage_end_time: at,
    export_time: at,
    project: project === null ? null : { id: project, name: project },
    labels: Object.entries(labels).map(([key, value]) => ({ key, value })),
    cost,
    currency: 'USD',
    credits: credits.map((amount) => ({ name: 'given', amount })),
    invoice: { month: used.month ?? '202611' },
    ...(used.resource === undefined ? {} : { resource: { name: used.resource } }),
  };
};
