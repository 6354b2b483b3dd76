import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerIgnore, dockerIgnore } from '../../../lib/docker-ignore.ts';

/** The rules of `<Dockerfile>.dockerignore`, or else of the context's `.dockerignore`. Paths are absolute. */
export async function readDockerIgnore(context: string, dockerfile: string): Promise<DockerIgnore> {
  const text =
    (await readFile(`${dockerfile}.dockerignore`, 'utf8').catch(() => null)) ??
    (await readFile(join(context, '.dockerignore'), 'utf8').catch(() => null));
  return dockerIgnore(text ?? '');
}
