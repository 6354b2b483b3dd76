import type { AccessDeps } from './deps.ts';
import { linkPath, makeLink } from './links.ts';

/** To be shown once: whoever opens it first is signed in. */
export interface ShownLink {
  /** Behind the address of the dashboard. */
  readonly path: string;
  readonly expiresAt: number;
}

/** How long they count, ms. Who is invited may be away; who forgot a password sits there and waits. */
const LASTS_MS = { invitation: 3 * 24 * 3_600_000, reset: 3_600_000 };

export type Purpose = keyof typeof LASTS_MS;

/** For somebody else, in the place of an earlier one. */
export async function shownLink(
  deps: AccessDeps,
  user: string,
  { purpose, by }: { purpose: Purpose; by: string },
): Promise<ShownLink> {
  const { text, expiresAt } = await makeLink(deps, { user, purpose, by, lastsMs: LASTS_MS[purpose] });
  return { path: linkPath(text), expiresAt };
}
