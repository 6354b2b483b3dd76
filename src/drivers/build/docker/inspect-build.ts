import { access, readFile } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import type { BuildInput } from '../../../domain/cloud/dockerfile/check.ts';
import { isBelow, leftOut, neededBy, packageIn } from '../../../domain/cloud/dockerfile/workspace.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { readDockerIgnore } from './docker-ignore.ts';
import { parseDockerfile } from './parse-dockerfile.ts';
import { readPackage, readWorkspace } from './read-workspace.ts';

/** Folders and files are relative to `root`, which is absolute. */
export interface BuildPlace {
  root: string;
  service: string;
  /** The folder of the service's own code. */
  dir: string;
  dockerfile: string;
  context: string;
}

export interface InspectedBuild extends BuildInput {
  /** Folders, relative to the context, of which a build needs nothing but their `package.json`. */
  leaveOut: string[];
}

/** What the rules of Dockerfiles look at. Throws `dockerfile-missing`. */
export async function inspectBuild(place: BuildPlace): Promise<InspectedBuild> {
  const [dir, context] = [plain(place.dir), plain(place.context)];
  const text = await readFile(join(place.root, place.dockerfile), 'utf8').catch((error: unknown) => {
    throw missing(place, error);
  });
  const workspace = await readWorkspace(place.root);
  const self = packageIn(workspace, dir) ?? (await readPackage(place.root, dir))?.package ?? null;
  const ignores = await readDockerIgnore(join(place.root, context), join(place.root, place.dockerfile));
  const folders = workspace.packages.map((each) => each.dir);
  const ignored = folders.filter((each) => ignores.out(relative(context, each)));
  const mine = self === null ? [dir] : [self, ...neededBy(workspace, self).run].map((each) => each.dir);
  const prisma = await Promise.all(mine.map((each) => hasSchema(place.root, each)));
  return {
    dockerfile: parseDockerfile(text, place.dockerfile),
    context,
    self,
    workspace,
    ignored,
    prisma: prisma.includes(true),
    leaveOut: (self === null ? [] : leftOut(workspace, self))
      .filter((each) => each !== context && isBelow(each, context))
      .map((each) => relative(context, each)),
  };
}

const plain = (path: string): string => normalize(path).replace(/\/$/, '') || '.';

const hasSchema = (root: string, dir: string): Promise<boolean> =>
  access(join(root, dir, 'prisma/schema.prisma')).then(
    () => true,
    () => false,
  );

const missing = ({ dockerfile, service }: BuildPlace, cause: unknown): EvenkeelError =>
  new EvenkeelError({
    code: 'dockerfile-missing',
    what: `${service} has no Dockerfile that can be read`,
    where: dockerfile,
    why: cause instanceof Error ? cause.message : String(cause),
    next: `write ${dockerfile}, or set \`image:\` or \`dockerfile:\` for ${service} in evenkeel.yaml`,
    cause,
  });
