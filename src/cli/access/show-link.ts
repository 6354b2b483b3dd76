import type { ApiClient } from '../../api/contract/client.ts';
import type { LinkView } from '../../api/contract/people.ts';
import { formatDuration } from '../../lib/format.ts';
import type { Context } from '../context.ts';

/** A link with the address of the dashboard; null: that is off, and only the path is known. */
export async function addressOf(client: ApiClient, { path }: LinkView): Promise<string | null> {
  const url = (await client.getServer({})).dashboard?.url ?? null;
  return url === null ? null : `${url}${path}`;
}

/** The link alone on the standard output, for whoever passes it on; what to know of it beside that. */
export function showLink({ out, deps }: Context, login: string, link: LinkView, url: string | null): void {
  out.line(url ?? link.path);
  const lasts = formatDuration(link.expiresAt - deps.now());
  out.remark(`It signs in whoever opens it first as ${login}, once, within ${lasts}, and is not shown again.`);
  if (url === null) out.remark('The dashboard is off: it stands behind its address once that is open.');
}
