import { formatDuration } from '../../lib/format.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CommandSpec, Input } from '../command.ts';
import type { Context } from '../context.ts';

export const dashboard: CommandSpec = {
  name: 'dashboard',
  summary: 'a link that opens the dashboard and signs you in',
  description:
    'The link works once, and for a quarter of an hour. Whoever may run this owns everything on this machine already: the first time it makes a user of your name, who runs the server. EVENKEEL_DASHBOARD says where the dashboard is (a port, ADDRESS:PORT, or off).',
  options: [
    { flags: '--user <login>', description: 'for somebody else, who cannot get in any more' },
    { flags: '--page <path>', description: 'which page it opens, such as /rollouts; default: the overview' },
  ],
  examples: [
    { command: 'evenkeel dashboard', means: 'then click on the link' },
    { command: 'evenkeel dashboard --user ann', means: 'a way in for somebody who forgot their password' },
  ],
  run,
};

async function run(context: Context, input: Input): Promise<void> {
  const { out, deps } = context;
  const login = input.text('user');
  const client = await context.client();
  const made = await client.createSignInLink(login === null ? {} : { login });
  const link = leadingTo(made, input.text('page'));
  out.data(link);
  if (link.url === null)
    throw new EvenkeelError({
      code: 'dashboard-off',
      what: 'the dashboard is not open',
      why: 'EVENKEEL_DASHBOARD is off, or somebody else has its port',
      next: 'evenkeel server stop, then start it with another EVENKEEL_DASHBOARD, for example 7650',
    });
  const lasts = formatDuration(link.expiresAt - deps.now());
  out.line(
    link.url,
    out.style.dim(
      `  signs ${link.login} in, once, within ${lasts}${link.created ? ' (a new user, who runs the server)' : ''}`,
    ),
  );
}

/** Where a link goes on to stands before the #: it is no secret. */
function leadingTo<T extends { path: string; url: string | null }>(link: T, page: string | null): T {
  if (page === null) return link;
  const next = `?next=${encodeURIComponent(page)}#`;
  return { ...link, path: link.path.replace('#', next), url: link.url?.replace('#', next) ?? null };
}
