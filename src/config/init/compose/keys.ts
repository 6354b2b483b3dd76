import { isMap, namesOf, quoted, scalarText } from './model.ts';
import type { ComposeContext, ComposeService } from './model.ts';

/** Read elsewhere, and said there what of them is not carried over. */
const READ = new Set([
  'build',
  'command',
  'cpus',
  'depends_on',
  'deploy',
  'entrypoint',
  'env_file',
  'environment',
  'extends',
  'healthcheck',
  'image',
  'labels',
  'links',
  'mem_limit',
  'ports',
  'profiles',
  'scale',
  'secrets',
  'stop_grace_period',
  'tmpfs',
  'volumes',
  'working_dir',
]);

/** What evenkeel does by itself, or has no use for. */
const NOT_NEEDED = new Set([
  'attach',
  'container_name',
  'domainname',
  'expose',
  'hostname',
  'init',
  'networks',
  'platform',
  'pull_policy',
  'stdin_open',
  'tty',
]);

/** What gets lost, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  configs: 'put the files into the project',
  develop: 'sources are not watched; `up` or `deploy` ships a change',
  dns: 'the machine decides how names are found',
  dns_search: 'the machine decides how names are found',
  external_links: 'give the address under `env`',
  extra_hosts: 'put the names into /etc/hosts of the machine',
  gpus: 'programs see what the machine has',
  devices: 'programs see what the machine has',
  logging: 'output goes to `evenkeel logs`',
  mem_reservation: 'only limits are there: `resources`',
  memswap_limit: 'an instance with a limit of memory does not swap',
  network_mode: 'services find each other by ${services.NAME.url}',
  pids_limit: 'there is no such limit',
  post_start: 'do it in the program',
  pre_stop: 'do it in the program, on SIGTERM',
  privileged: 'programs run as the user of evenkeel, without a container',
  read_only: 'programs may write in their working copy, which ends with them',
  stop_signal: 'a program is told to end by SIGTERM',
  sysctls: 'set them on the machine',
  ulimits: 'set them for the user that runs evenkeel',
  user: 'programs run as the user of evenkeel',
};

/** Names every key that nothing was made of. */
export function noteKeys({ name, raw }: ComposeService, { note }: ComposeContext): void {
  const keys = Object.keys(raw).filter((key) => !READ.has(key) && !key.startsWith('x-') && raw[key] !== null);
  const needless = keys.filter((key) => NOT_NEEDED.has(key));
  if (raw['image'] !== undefined && raw['build'] !== undefined) needless.push('image');
  if (needless.length > 0) note(`\`${name}\` needs no ${quoted(needless)} here`);
  for (const key of keys) {
    const instead = INSTEAD[key];
    if (instead !== undefined) note(`\`${key}\` of \`${name}\` is not carried over: ${instead}`);
  }
  const others = keys.filter((key) => !NOT_NEEDED.has(key) && INSTEAD[key] === undefined && key !== 'restart');
  if (others.length > 0) note(`not carried over of \`${name}\`: ${quoted(others)}`);
  noteRestart(name, scalarText(raw['restart']), note);
  noteBuild(name, raw['build'], note);
}

function noteRestart(name: string, restart: string | null, note: (text: string) => void): void {
  if (restart === null || restart === 'always' || restart === 'unless-stopped') return;
  note(
    `\`restart: ${restart}\` of \`${name}\` is not carried over: what ends is started again, whatever its exit code`,
  );
}

const BUILD_READ = new Set(['context', 'dockerfile', 'dockerfile_inline', 'target']);

function noteBuild(name: string, build: unknown, note: (text: string) => void): void {
  if (!isMap(build)) return;
  const args = namesOf(build['args']).map((each) => each.split('=')[0] ?? each);
  if (args.length > 0) note(`the build arguments ${quoted(args)} of \`${name}\` are not carried over: see \`build\``);
  const others = Object.keys(build).filter((key) => !BUILD_READ.has(key) && key !== 'args');
  if (others.length > 0) note(`not carried over of \`build\` of \`${name}\`: ${quoted(others)}`);
}

/** What stands at the top of the file, and is more than a declaration. */
export function noteTop(top: Readonly<Record<string, unknown>>, { note }: ComposeContext): void {
  const known = new Set(['name', 'version', 'services', 'include', 'volumes', 'networks', 'secrets', 'configs']);
  const others = Object.keys(top).filter((key) => !known.has(key) && !key.startsWith('x-'));
  if (others.length > 0) note(`not carried over: ${quoted(others)}`);
  const outside = ['volumes', 'networks'].flatMap((key) =>
    Object.entries(isMap(top[key]) ? top[key] : {}).flatMap(([name, each]) =>
      isMap(each) && (each['external'] === true || each['driver'] !== undefined || each['driver_opts'] !== undefined)
        ? [`\`${key}.${name}\``]
        : [],
    ),
  );
  if (outside.length > 0) note(`what ${outside.join(', ')} says (external, driver) is not carried over`);
}
