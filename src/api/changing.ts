import type { Identity } from '../domain/access/identity.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Asked, Audit } from './audit.ts';
import { isRepeated, keyIn, type Once } from './idempotency.ts';

export interface Guards {
  readonly audit: Audit;
  readonly once: Once;
}

/**
 * What stands around everything that changes something: `admit` reads it and says who may, then it is done once for its
 * key, and nothing of it unaudited. Refusals are audited, too.
 */
export async function change(
  { audit, once }: Guards,
  asked: Asked,
  key: string | string[] | undefined,
  admit: () => Promise<Record<string, unknown>>,
  act: (input: Record<string, unknown>) => Promise<unknown>,
): Promise<unknown> {
  let input: Record<string, unknown> | null = null;
  let begun = false;
  try {
    const admitted = await admit();
    input = admitted;
    return await once(asked, keyIn(key), admitted, () => {
      begun = true;
      return audit.around(asked, admitted, () => act(admitted));
    });
  } catch (error) {
    if (!begun && !isRepeated(error)) await audit.refused(asked, input, error);
    throw error;
  }
}

/** Refusals that a stranger could have written down without end; they are of one who asked before, or not at all. */
const UNWORTHY: ReadonlySet<string> = new Set(['sign-in-limited', 'sign-in-busy', 'bad-request']);

/**
 * Signing in and out: audited once it is known who it was. Whoever tries passwords may not fill the audit faster than
 * they may try.
 */
export async function signing(
  { audit }: Guards,
  asked: Asked,
  who: () => Identity,
  admit: () => Promise<Record<string, unknown>>,
  act: (input: Record<string, unknown>) => Promise<unknown>,
): Promise<unknown> {
  const input = await admit();
  try {
    const reply = await act(input);
    await audit.told({ ...asked, who: who() }, input, { reply });
    return reply;
  } catch (error) {
    const code = error instanceof EvenkeelError ? error.code : null;
    if (code === null || !UNWORTHY.has(code)) await audit.refused({ ...asked, who: who() }, input, error);
    throw error;
  }
}
