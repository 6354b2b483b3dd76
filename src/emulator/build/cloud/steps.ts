import { join, posix } from 'node:path';
import { imageReference, pushImage } from '../../apis/artifactregistry-images.ts';
import { GoogleError } from '../../core/google-error.ts';
import type { World } from '../../core/world.ts';
import { runLines } from '../../process/run-lines.ts';
import { buildImage } from '../builder.ts';
import type { BuildPlace } from '../building.ts';
import { BuildFailure, parseReference } from '../image.ts';
import { dockerBuildArgs, kanikoArgs, type DockerBuild } from './docker-args.ts';
import type { Step } from './record.ts';

/** One build's desk: its files, and the images it has so far, by `name:tag`. */
export interface Desk {
  world: World;
  place: BuildPlace;
  workspace: string;
  local: Map<string, string>;
  signal: AbortSignal;
}

/** Runs one step. Throws a BuildFailure with its exit code. */
export async function runStep(desk: Desk, step: Step, say: (line: string) => void): Promise<void> {
  const { name = '', args = [], env = [], dir = '' } = step;
  const folder = inWorkspace(desk, dir);
  const values = Object.fromEntries(
    env.map((each) => (each.includes('=') ? each.split(/=(.*)/s).slice(0, 2) : [each, ''])),
  );
  const builder =
    name
      .replace(/(:[^/]*|@.*)$/, '')
      .split('/')
      .at(-1) ?? '';
  if (/kaniko/.test(name)) return build(desk, kanikoArgs(args), folder, say);
  if (builder === 'docker' && step.entrypoint === undefined && step.script === undefined)
    return docker(desk, args, { folder, env: values, say });
  const argv = commandOf(builder, step);
  if (argv === null)
    throw new BuildFailure(
      `the emulator has no builder '${name}': it knows docker, kaniko, and what runs by Node, npm or a shell`,
      125,
    );
  const { place } = desk;
  const path = [...place.tools, place.hostPath].join(':');
  const mapped = argv.map((word) => word.replaceAll(/(^|[\s"'=])\/workspace(?=\/|$|\s)/g, `$1${desk.workspace}`));
  const ended = await runLines(mapped, {
    cwd: folder,
    env: { ...place.hostEnv, ...values, PATH: path },
    onLine: (line) => say(line.replaceAll(desk.workspace, '/workspace')),
    signal: desk.signal,
  });
  desk.signal.throwIfAborted();
  if (ended.code !== 0) throw new BuildFailure(`the step ended with ${ended.code ?? ended.signal}`, ended.code ?? 137);
}

/** What this machine can run of other builders. */
function commandOf(builder: string, { entrypoint, args = [], script }: Step): string[] | null {
  if (script !== undefined) return ['/bin/sh', '-c', script.replace(/^#!.*\n/, '')];
  if (entrypoint !== undefined) return [entrypoint, ...args];
  if (['node', 'npm', 'npx', 'bash', 'sh'].includes(builder)) return [builder, ...args];
  return null;
}

async function docker(
  desk: Desk,
  args: readonly string[],
  { folder, env, say }: { folder: string; env: Record<string, string>; say: (line: string) => void },
): Promise<void> {
  const [command = '', ...rest] = args[0] === 'buildx' || args[0] === 'image' ? args.slice(1) : args;
  switch (command) {
    case 'build':
      return build(desk, dockerBuildArgs(rest, env), folder, say);
    case 'push':
      for (const reference of rest.filter((arg) => !arg.startsWith('-'))) push(desk, reference, say);
      return;
    case 'tag': {
      const [from = '', to = ''] = rest;
      const digest = desk.local.get(full(from));
      if (digest === undefined) throw new BuildFailure(`Error response from daemon: No such image: ${from}`);
      desk.local.set(full(to), digest);
      return;
    }
    case 'pull':
      for (const reference of rest.filter((arg) => !arg.startsWith('-'))) pull(desk, reference);
      return;
    default:
      throw new BuildFailure(`docker: the emulator does not model 'docker ${command}'`, 125);
  }
}

async function build(desk: Desk, asked: DockerBuild, folder: string, say: (line: string) => void): Promise<void> {
  const context = inside(
    desk,
    asked.context.startsWith('/') ? inWorkspace(desk, asked.context) : join(folder, asked.context),
  );
  const { dockerfile, buildArgs, target } = asked;
  const image = await buildImage({ context, dockerfile, buildArgs, target, log: say, signal: desk.signal }, desk.place);
  for (const tag of asked.tags) {
    desk.local.set(full(tag), image.digest);
    say(`Successfully tagged ${full(tag)}`);
  }
  if (asked.push) for (const tag of asked.tags) push(desk, tag, say);
}

/** Pushes what was built. Throws a BuildFailure when it was not, or the registry refuses it. Answers reference and digest. */
export function push(desk: Desk, reference: string, say: (line: string) => void): { name: string; digest: string } {
  const { world, place } = desk;
  const digest = desk.local.get(full(reference));
  if (digest === undefined)
    throw new BuildFailure(`An image does not exist locally with the tag: ${parseReference(reference).name}`);
  const image = place.store.byDigest(digest);
  const named = imageReference(full(reference));
  say(`The push refers to repository [${parseReference(reference).name}]`);
  if (image !== null && named !== null) {
    try {
      const tags = named.tag === null ? [] : [named.tag];
      pushImage(world, { repository: named.repository, package: named.package, digest, tags, sizeBytes: image.bytes });
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      throw new BuildFailure(`name unknown: ${error.message}`);
    }
  }
  void place.store.tag(full(reference), digest);
  say(`${parseReference(reference).tag ?? ''}: digest: ${digest} size: ${image?.bytes ?? 0}`);
  return { name: reference, digest };
}

function pull(desk: Desk, reference: string): void {
  const image = desk.place.store.find(reference);
  // One that was never built here is some base image: a stand-in comes when it is used.
  if (image !== null) desk.local.set(full(reference), image.digest);
}

/** `name:tag` of a reference. */
export function full(reference: string): string {
  const { name, tag } = parseReference(reference);
  return tag === null ? reference : `${name}:${tag}`;
}

const inWorkspace = (desk: Desk, dir: string): string =>
  inside(desk, join(desk.workspace, posix.normalize(`/${dir.replace(/^\/workspace(?=\/|$)/, '')}`)));

function inside({ workspace }: Desk, path: string): string {
  if (path === workspace || path.startsWith(`${workspace}/`)) return path;
  throw new BuildFailure(`unable to prepare context: path "${path}" not found`);
}
