import { join } from 'node:path';
import { blocksBuild, checkDockerfile, findingInWords } from '../../domain/cloud/dockerfile/check.ts';
import { timeTag } from '../../domain/cloud/image-tags.ts';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import type { ServiceConfig } from '../../domain/project/project.ts';
import type { ImageRequest } from '../../ports/cloud-build.ts';
import { EvenkeelError } from '../../ports/errors.ts';

/** What one service's image is built from; all relative to the project's folder. */
export interface ImageSource {
  service: string;
  /** The folder of the service's own code. */
  dir: string;
  dockerfile: string;
  context: string;
}

export interface ExaminedImages {
  /** For each service by its name: folders of which nothing but their `package.json` is sent. */
  leaveOut: ReadonlyMap<string, readonly string[]>;
  /** What is wrong and does not keep an image from being built, a line each. */
  warnings: string[];
}

/**
 * Looks at the Dockerfiles of all services before the first build is paid for, whoever builds. `root`: absolute.
 * Throws `dockerfile-missing`, and `dockerfile-wrong` with all that is wrong with any of them.
 */
export async function examineImages(root: string, sources: readonly ImageSource[]): Promise<ExaminedImages> {
  // Its parser is needed by whoever builds, and by nobody else.
  const { inspectBuild } = await import('../../drivers/build/docker/inspect-build.ts');
  const seen = await Promise.all(
    sources.map(async (source) => {
      const inspected = await inspectBuild({ root, ...source });
      return { service: source.service, leaveOut: inspected.leaveOut, findings: checkDockerfile(inspected) };
    }),
  );
  const all = seen.flatMap(({ findings }) => findings);
  // Services may share a Dockerfile, and with it what is wrong.
  const said = [...new Set(all.map(findingInWords))];
  if (blocksBuild(all))
    throw new EvenkeelError({
      code: 'dockerfile-wrong',
      what: 'nothing was built: an image would not build, or not run',
      why: said.join('\n'),
      next: 'correct these places, then the same again',
    });
  return { leaveOut: new Map(seen.map(({ service, leaveOut }) => [service, leaveOut])), warnings: said };
}

/** Of a service as its releases know it. */
export const imageSource = ({ name, dir }: ServiceConfig, { dockerfile, context }: CloudRunConfig): ImageSource => ({
  service: name,
  dir,
  dockerfile,
  context,
});

/** What is asked of the cloud once a source was examined. `at`: wall time, ms. */
export const imageRequest = (
  root: string,
  { service, context, dockerfile }: ImageSource,
  { image, at, leaveOut }: { image: string; at: number; leaveOut: ExaminedImages['leaveOut'] },
): ImageRequest => ({
  service,
  context: join(root, context),
  dockerfile: join(root, dockerfile),
  image,
  tag: timeTag(at),
  leaveOut: leaveOut.get(service) ?? [],
});
