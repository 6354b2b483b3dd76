import { budgetName } from '../../../../domain/cloud/names.ts';
import { ownLabels } from '../../../../domain/cloud/resource.ts';
import { EvenkeelError } from '../../../../ports/errors.ts';
import { billingAccountOf } from '../billing.ts';
import type { Google } from '../google.ts';
import { againOnConflict, allPages, ifThere, type KindDriver, type Seen, type Wanted } from '../kind-driver.ts';
import { madeOnce } from '../shown-name.ts';

interface Budget {
  name?: string;
  displayName?: string;
  budgetFilter?: { projects?: string[]; calendarPeriod?: string };
  amount?: { specifiedAmount?: { currencyCode?: string; units?: string; nanos?: number } };
  thresholdRules?: { thresholdPercent?: number }[];
  etag?: string;
}

const BASE = 'https://billingbudgets.googleapis.com/v1';

const budgetsOf = async (google: Google, account: string, signal: AbortSignal): Promise<Budget[]> => {
  const project = `projects/${await google.projectNumber(signal)}`;
  const all = await allPages(
    (pageToken) =>
      google.http.request<{ budgets?: Budget[]; nextPageToken?: string }>('GET', `${BASE}/${account}/budgets`, {
        query: { pageSize: 100, pageToken },
        signal,
      }),
    (page) => page.budgets,
  );
  return all.filter(({ budgetFilter }) => budgetFilter?.projects?.includes(project));
};

function seenOf({ scope }: Google, budget: Budget): Seen<'budget'> {
  const { units = '0', nanos = 0, currencyCode = '' } = budget.amount?.specifiedAmount ?? {};
  const name = budget.displayName ?? '';
  return {
    kind: 'budget',
    name,
    location: null,
    attributes: {
      amount: Number(units) + nanos / 1e9,
      currency: currencyCode,
      thresholds: (budget.thresholdRules ?? []).map(({ thresholdPercent }) => thresholdPercent ?? 0),
    },
    // It can bear none, but its name says whose it is.
    labels: name === budgetName(scope) ? { ...ownLabels(scope) } : {},
    state: 'ready',
    createdAt: null,
    ...(budget.name === undefined ? {} : { id: budget.name }),
  };
}

async function bodyOf(google: Google, { name, attributes }: Wanted<'budget'>, signal: AbortSignal): Promise<Budget> {
  const { amount, currency, thresholds } = attributes;
  const units = Math.trunc(amount);
  const nanos = Math.round((amount - units) * 1e9);
  return {
    displayName: name,
    budgetFilter: { projects: [`projects/${await google.projectNumber(signal)}`], calendarPeriod: 'MONTH' },
    amount: { specifiedAmount: { currencyCode: currency, units: String(units), ...(nanos === 0 ? {} : { nanos }) } },
    thresholdRules: thresholds.map((thresholdPercent) => ({ thresholdPercent })),
  };
}

const accountOrThrow = async (google: Google, signal: AbortSignal): Promise<string> => {
  const account = await billingAccountOf(google, signal);
  if (account !== null) return account;
  throw new EvenkeelError({
    code: 'cloud-billing-off',
    what: 'a budget needs a billing account, and none is linked to this cloud project',
    next: 'link one: https://console.cloud.google.com/billing/linkedaccount',
    exit: 2,
  });
};

export const budget: KindDriver<'budget'> = {
  async observe({ google, signal }) {
    const account = await billingAccountOf(google, signal);
    return account === null ? [] : (await budgetsOf(google, account, signal)).map((one) => seenOf(google, one));
  },
  async create(wanted, { google, signal, say }) {
    say('creating');
    const account = await accountOrThrow(google, signal);
    const body = await bodyOf(google, wanted, signal);
    const made = await madeOnce({
      find: async () =>
        (await budgetsOf(google, account, signal)).filter(({ displayName }) => displayName === wanted.name),
      create: () => google.http.request<Budget>('POST', `${BASE}/${account}/budgets`, { body, signal, once: true }),
      remove: async ({ name = '' }) => {
        await google.http.request('DELETE', `${BASE}/${name}`, { signal });
      },
    });
    return seenOf(google, made);
  },
  async update(wanted, seen, work) {
    const { google, signal, say } = work;
    const { id } = seen;
    if (id === undefined) return budget.create(wanted, work);
    say('updating');
    const body = await bodyOf(google, wanted, signal);
    const after = await againOnConflict(async () => {
      const { etag } = await google.http.request<Budget>('GET', `${BASE}/${id}`, { signal });
      const query = { updateMask: 'displayName,amount,thresholdRules' };
      return google.http.request<Budget>('PATCH', `${BASE}/${id}`, {
        query,
        body: { ...body, ...(etag === undefined ? {} : { etag }) },
        signal,
      });
    });
    return seenOf(google, after);
  },
  async remove(gone, { google, signal, say }) {
    say('deleting');
    const { id } = gone;
    if (id !== undefined) await ifThere(() => google.http.request('DELETE', `${BASE}/${id}`, { signal }));
  },
};
