import type { Google } from './google.ts';

/** `billingAccounts/…`; null when none is linked. */
export async function billingAccountOf(google: Google, signal: AbortSignal): Promise<string | null> {
  const { billingAccountName, billingEnabled } = await google.billing(signal);
  return billingEnabled === true && billingAccountName ? billingAccountName : null;
}

/** Whether somebody pays; null when that cannot be seen (its API is off, or this account may not). */
export async function billingOn(google: Google, signal: AbortSignal): Promise<boolean | null> {
  return google.billing(signal).then(
    ({ billingEnabled }) => billingEnabled ?? false,
    (error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    },
  );
}
