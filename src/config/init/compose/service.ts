import { parseFolder } from '../../values/folder.ts';
import { draftService } from '../draft.ts';
import type { DraftService } from '../draft.ts';
import { readDockerfile } from '../from-dockerfile.ts';
import type { DockerfileReading } from '../from-dockerfile.ts';
import { commandIn, fixedPort, secretsIn } from './command.ts';
import { environmentOf } from './environment.ts';
import type { EnvFileOwners } from './environment.ts';
import { healthOf } from './health.ts';
import { filledIn, resolved } from './interpolate.ts';
import { noteKeys } from './keys.ts';
import { limitsOf } from './limits.ts';
import { asBuild } from './merge.ts';
import { listOf, scalarText } from './model.ts';
import type { ComposeContext, ComposeService, Raw } from './model.ts';
import { reachOf } from './ports.ts';
import { dataOf } from './volumes.ts';

/** Where the program of a service comes from. */
export interface Origin {
  /** Relative to the root. */
  dir: string;
  image: DockerfileReading | null;
  /** The folder of the container in which it works. */
  workdir: string | null;
}

/** A service whose program lies in this folder. Null, with a note, when it does not. */
export async function serviceOf(
  service: ComposeService,
  context: ComposeContext,
  owners: EnvFileOwners,
): Promise<{ draft: DraftService; published: boolean; hasCommand: boolean } | null> {
  const { name, raw } = service;
  const { note, findings, file } = context;
  const origin = raw['build'] === undefined ? await mounted(service, context) : await built(service, context);
  if (origin === null) return null;
  const { image, workdir, dir } = origin;
  const entrypoint = commandIn(raw['entrypoint'], `\`entrypoint\` of \`${name}\``, context);
  const command = commandIn(raw['command'], `\`command\` of \`${name}\``, context);
  // An entrypoint takes the image's command away; a command alone is given to the image's entrypoint.
  const written =
    entrypoint === null && command === null
      ? (image?.run ?? null)
      : [entrypoint ?? image?.entrypoint ?? null, command].filter((part) => part !== null).join(' ');
  const env = await environmentOf(service, context, owners);
  for (const secret of secretsIn(written ?? '', findings.secrets)) env[secret] ??= `\${${secret}}`;
  if (image?.hasSteps === true)
    note(`the build steps and variables of the image of \`${name}\` are not carried over; see \`build\` and \`env\``);
  const reach = reachOf(service, context);
  const exposes = (image?.port ?? null) !== null;
  const hasRoutes = reach.published || exposes || reach.routes.length > 0;
  const health = healthOf(service, image?.health ?? null, context);
  const port = written === null ? null : fixedPort(written);
  if (hasRoutes && port !== null) note(`\`${name}\` seems to listen on ${port}: let its command take $PORT`);
  noteKeys(service, context);
  const { path = null, ...healthTimes } = health ?? {};
  const draft = draftService(name, file, {
    dir,
    run: written === '' ? null : written,
    health: path,
    healthTimes,
    routes: reach.routes.length > 0 ? reach.routes : hasRoutes ? ['/'] : [],
    data: dataOf(service, workdir, dir, context),
    env,
    ...limitsOf(service, context),
  });
  return { draft, published: reach.published || reach.routes.length > 0, hasCommand: raw['command'] !== undefined };
}

async function built({ name, raw }: ComposeService, context: ComposeContext): Promise<Origin | null> {
  const { reader, note } = context;
  const build = asBuild(raw['build']);
  const text = (key: string, otherwise: string): string =>
    filledIn(scalarText(build[key]) ?? otherwise, `\`${name}\``, context);
  const folder = parseFolder(text('context', '.'));
  if (folder === null || (folder !== '.' && !(await reader.isFolder(folder)))) {
    note(`the folder of \`${name}\` is not inside this one, so it is left out`);
    return null;
  }
  const dockerfile = parseFolder(text('dockerfile', 'Dockerfile'));
  const inline = scalarText(build['dockerfile_inline']);
  const found = dockerfile === null ? null : (inline ?? (await reader.read(below(folder, dockerfile))));
  if (found === null) note(`the Dockerfile of \`${name}\` is not there, so what its image starts is not known`);
  const image = found === null ? null : readDockerfile(found, text('target', '') || null);
  return withWorkingDir(name, raw, { dir: folder, image, workdir: image?.workdir ?? null }, context);
}

const below = (folder: string, path: string): string => (folder === '.' ? path : `${folder}/${path}`);

/** `working_dir` below the folder that the image works in. */
async function withWorkingDir(name: string, raw: Raw, origin: Origin, context: ComposeContext): Promise<Origin> {
  const { reader, note } = context;
  const written = scalarText(raw['working_dir']);
  if (written === null) return origin;
  const workdir = filledIn(written, `\`${name}\``, context).replace(/(.)\/+$/, '$1');
  if (origin.workdir === null || origin.workdir === workdir) return { ...origin, workdir };
  const inner = workdir.startsWith(`${origin.workdir}/`) ? parseFolder(workdir.slice(origin.workdir.length + 1)) : null;
  const dir = inner === null ? null : below(origin.dir, inner);
  if (dir !== null && (await reader.isFolder(dir))) return { ...origin, dir, workdir };
  note(`\`working_dir: ${workdir}\` of \`${name}\` is no folder of the project: write its \`dir\``);
  return origin;
}

/** `image: node`, a command, and the sources mounted where it works: the program is here, too. */
async function mounted({ name, raw }: ComposeService, context: ComposeContext): Promise<Origin | null> {
  const { reader, known, note } = context;
  const workdir = scalarText(raw['working_dir'])?.replace(/(.)\/+$/, '$1') ?? null;
  if (workdir === null || (raw['command'] === undefined && raw['entrypoint'] === undefined)) return null;
  for (const volume of listOf(raw['volumes'])) {
    const [source = '', target = ''] = resolved(scalarText(volume) ?? '', known).split(':');
    if (!source.startsWith('.') || (workdir !== target && !workdir.startsWith(`${target}/`))) continue;
    const folder = parseFolder(source);
    const inner = workdir === target ? '.' : parseFolder(workdir.slice(target.length + 1));
    const dir =
      folder === null || inner === null ? null : inner === '.' ? folder : folder === '.' ? inner : `${folder}/${inner}`;
    if (dir === null || (dir !== '.' && !(await reader.isFolder(dir)))) continue;
    note(
      `\`${name}\` ran in the image ${scalarText(raw['image']) ?? ''}: the machine must have what its command needs`,
    );
    return { dir, image: null, workdir };
  }
  return null;
}
