import type { DeployReply, DeployRequest } from '../api/contract/deploys.ts';
import { suggest } from '../lib/suggest.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiClient } from '../api/contract/client.ts';
import type { Input, OptionSpec } from './command.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './deps.ts';
import { follow } from './follow/follow.ts';
import type { Until } from './follow/outcome.ts';
import { report } from './follow/report.ts';
import { comingCertificates } from './follow/words.ts';
import { Interrupted } from './interrupt.ts';
import { loadForShipping, requireSecrets } from './project.ts';
import { stopped } from './screen/text.ts';
import { migrationLines } from './show-migrations.ts';
import { type Finish, showWritten, writeUrls, type WrittenUrls } from './written-urls.ts';

export const ALLOW_OPTION: OptionSpec = {
  flags: '--allow-breaking-migrations',
  description: 'go on although what serves may not survive the new migrations',
};

export const WAIT_OPTION: OptionSpec = {
  flags: '--wait <until>',
  description:
    'return when it has all traffic (promoted, the default), when the rollback window is over (complete), or at once (none)',
  choices: ['promoted', 'complete', 'none'],
};

export type Wait = Until | 'none';

export function waitOf(input: Input): Wait {
  const given = input.text('wait');
  return given === 'complete' || given === 'none' ? given : 'promoted';
}

export type ShipRequest = Pick<
  DeployRequest,
  'onlyChanged' | 'label' | 'replace' | 'keepFailed' | 'allowBreakingMigrations'
> & {
  /** Empty: every service. */
  services: string[];
};

/** Begins a rollout of what is in the project's folder, and follows it. */
export async function ship(context: Context, request: ShipRequest, wait: Wait): Promise<ExitCode> {
  const { interrupt } = context;
  const project = await loadForShipping(context);
  requireKnown(
    project.services.map(({ name }) => name),
    request.services,
  );
  if (interrupt.signal.aborted) throw new Interrupted();
  const client = await context.startedClient();
  await requireSecrets(client, project, request.services);
  if (interrupt.signal.aborted) throw new Interrupted();
  const { services, ...rest } = request;
  // From here on something may have been begun, so Ctrl-C waits for the answer that tells what.
  const reply = await client.deploy({
    ...rest,
    project: project.name,
    environment: project.environment.name,
    definition: { ...project },
    services: services.length === 0 ? null : services,
  });
  showMigrations(context, reply);
  const scope = { project: project.name, environment: project.environment.name };
  return followBegun(context, client, reply, wait, scope, () => writeUrls(context, client, project));
}

/** Begins a rollout of what serves in another environment, and follows it. */
export async function shipFrom(
  context: Context,
  { from, services, acceptBuild }: { from: string; services: string[]; acceptBuild: boolean },
  wait: Wait,
): Promise<ExitCode> {
  const scope = await context.scope();
  const client = await context.client();
  const reply = await client.promoteReleases({
    ...scope,
    from,
    services: services.length === 0 ? null : services,
    acceptBuild,
  });
  const finish = async (): Promise<WrittenUrls | null> => {
    // Which file it is stands in evenkeel.yaml, and that is not needed for anything else here.
    const project = context.globals.project === null ? await loadForShipping(context).catch(() => null) : null;
    return project === null ? null : writeUrls(context, client, project);
  };
  return followBegun(context, client, reply, wait, scope, finish);
}

/** Before anything else is said of it: what is about to be done to the database. */
function showMigrations({ out }: Context, { migrations = [] }: DeployReply): void {
  const lines = migrationLines(migrations, out);
  if (lines.length > 0) out.line(...lines, '');
  if (migrations.length > 0) out.data({ type: 'migrations', migrations });
}

/** Follows what an operation has begun, as long as the user wants to wait. */
export async function followBegun(
  context: Context,
  client: ApiClient,
  { rollout, message }: DeployReply,
  wait: Wait,
  scope: { project: string; environment: string },
  finish: Finish = () => Promise.resolve(null),
): Promise<ExitCode> {
  const { out } = context;
  if (rollout === null) {
    const { environments } = await client.getStatus(scope);
    const urls = environments.flatMap((each) => each.services.flatMap((service) => service.urls));
    const coming = environments
      .flatMap((each) => comingCertificates(each, { refused: true }))
      .map((text) => `  ${out.style.dim(`TLS: ${text}`)}`);
    out.line(
      `${out.style.green(out.style.symbols.done)} ${stopped(message)}`,
      ...urls.map((url) => `  ${out.style.cyan(url)}`),
      ...coming,
    );
    const urlFile = await finish();
    if (urlFile !== null) showWritten(urlFile, out);
    out.data({ type: 'result', outcome: 'nothing', exit: 0, rollout, message, urls, urlFile });
    return 0;
  }
  if (wait === 'none') {
    out.line(`Begun: ${message}`, `  evenkeel watch ${rollout}  see how it goes`);
    out.data({ type: 'result', outcome: 'begun', exit: 0, rollout, message, urls: [] });
    return 0;
  }
  return report(context, rollout, await follow(context, rollout, { until: wait, leaveOnPause: true }), finish);
}

function requireKnown(known: readonly string[], wanted: readonly string[]): void {
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const [first = ''] = unknown;
  const meant = unknown.length === 1 ? suggest(first, known) : null;
  throw new EvenkeelError({
    code: 'service-unknown',
    what: `there is no service ${unknown.join(', ')} in evenkeel.yaml`,
    next: meant === null ? `one of: ${known.join(', ')}` : `did you mean ${meant}? There is: ${known.join(', ')}`,
  });
}
