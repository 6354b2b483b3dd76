import type { Google } from './google.ts';

interface BillingInfo {
  billingAccountName?: string;
  billingEnabled?: boolean;
}

const infoOf = ({ http, scope }: Google, signal: AbortSignal): Promise<BillingInfo> =>
  http.request('GET', `https://cloudbilling.googleapis.com/v1/projects/${scope.cloudProject}/billingInfo`, { signal });

/** `billingAccounts/…`; null when none is linked. */
export async function billingAccountOf(google: Google, signal: AbortSignal): Promise<string | null> {
  const { billingAccountName, billingEnabled } = await infoOf(google, signal);
  return billingEnabled === true && billingAccountName ? billingAccountName : null;
}

/** Whether somebody pays; null when that cannot be seen (its API is off, or this account may not). */
export async function billingOn(google: Google, signal: AbortSignal): Promise<boolean | null> {
  return infoOf(google, signal).then(
    ({ billingEnabled }) => billingEnabled ?? false,
    (error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    },
  );
}
