import type { Api } from '../core/api.ts';
import { invalid, notFound } from '../core/google-error.ts';
import type { Project } from '../core/projects.ts';
import type { World } from '../core/world.ts';
import { textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** The one billing account there is. */
export const BILLING_ACCOUNT = 'billingAccounts/012345-6789AB-CDEF01';

const links = (world: World) => world.state.table('cloudbilling.projects');

const ACCOUNT = { name: BILLING_ACCOUNT, open: true, displayName: 'Emulated', currencyCode: 'USD' };

/** A few services with one price each: prices are looked at, not calculated with. */
const SERVICES = [
  {
    id: '152E-C115-5142',
    title: 'Cloud Run',
    sku: 'AAAA-0000-0001',
    what: 'CPU Allocation Time',
    unit: 's',
    nanos: 24_000,
  },
  {
    id: '9662-B51E-5089',
    title: 'Cloud SQL',
    sku: 'AAAA-0000-0002',
    what: 'Postgres vCPU',
    unit: 'h',
    nanos: 41_300_000,
  },
  {
    id: '95FF-2EF5-5EA1',
    title: 'Cloud Storage',
    sku: 'AAAA-0000-0003',
    what: 'Standard Storage',
    unit: 'GiBy.mo',
    nanos: 20_000_000,
  },
];

export const cloudbilling: Api = {
  document: 'cloudbilling.v1',
  service: null,
  handlers: {
    'cloudbilling.projects.getBillingInfo': (call, world) => info(world.projects.find(call.at('name').slice(9)), world),
    'cloudbilling.projects.updateBillingInfo': (call, world) => {
      const project = world.projects.find(call.at('name').slice('projects/'.length));
      const account = textAt(call.body, 'billingAccountName') ?? '';
      if (account !== '' && account !== BILLING_ACCOUNT) throw invalid(`The billing account ${account} is not known.`);
      links(world).set(project.id, { account });
      return info(project, world);
    },
    'cloudbilling.billingAccounts.list': () => ({ billingAccounts: [ACCOUNT] }),
    'cloudbilling.billingAccounts.get': (call) => {
      if (call.at('name') !== BILLING_ACCOUNT) throw notFound(`Billing account ${call.at('name')} was not found.`);
      return ACCOUNT;
    },
    'cloudbilling.billingAccounts.projects.list': (_call, world) => ({
      projectBillingInfo: world.projects
        .all()
        .map((project) => info(project, world))
        .filter((one) => one['billingEnabled'] === true),
    }),
    'cloudbilling.services.list': () => ({
      services: SERVICES.map(({ id, title }) => ({
        name: `services/${id}`,
        serviceId: id,
        displayName: title,
        businessEntityName: 'businessEntities/GCP',
      })),
    }),
    'cloudbilling.services.skus.list': (call) => ({
      skus: SERVICES.filter(({ id }) => call.at('parent') === `services/${id}`).map(
        ({ id, sku, what, title, unit, nanos }) => ({
          name: `services/${id}/skus/${sku}`,
          skuId: sku,
          description: what,
          category: { serviceDisplayName: title, usageType: 'OnDemand' },
          serviceRegions: ['global'],
          pricingInfo: [
            {
              effectiveTime: '2026-01-01T00:00:00Z',
              pricingExpression: {
                usageUnit: unit,
                displayQuantity: 1,
                tieredRates: [{ startUsageAmount: 0, unitPrice: { currencyCode: 'USD', units: '0', nanos } }],
              },
            },
          ],
        }),
      ),
    }),
  },
};

function info(project: Project, world: World): JsonObject {
  const account = textAt(links(world).get(project.id), 'account') ?? BILLING_ACCOUNT;
  return {
    name: `projects/${project.id}/billingInfo`,
    projectId: project.id,
    billingAccountName: account,
    billingEnabled: account !== '',
  };
}
