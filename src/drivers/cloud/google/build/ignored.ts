import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';
import { type DockerIgnore, dockerIgnore } from '../../../../lib/docker-ignore.ts';

/** Whether a path below the context stays out; folders' paths end in `/`. */
export type Ignored = DockerIgnore;

/** Never part of a build: history is large, and keys of ours have no business there. */
const ALWAYS = ['.git', '.gcloudignore'];

/** What `.gcloudignore` says, else `.dockerignore`, else `.gitignore`. */
export async function ignoredIn(context: string): Promise<Ignored> {
  const gcloud = await textOf(join(context, '.gcloudignore'));
  if (gcloud !== null) return asGit([gcloud, ...(await included(context, gcloud))].join('\n'));
  const docker = await textOf(join(context, '.dockerignore'));
  if (docker !== null) return dockerIgnore([docker, ...ALWAYS].join('\n'));
  return asGit((await textOf(join(context, '.gitignore'))) ?? '');
}

async function included(context: string, text: string): Promise<string[]> {
  const names = [...text.matchAll(/^#!include:(.+)$/gm)].map(([, name = '']) => name.trim());
  const texts = await Promise.all(names.map((name) => textOf(join(context, name))));
  return texts.filter((one) => one !== null);
}

const textOf = (file: string): Promise<string | null> => readFile(file, 'utf8').catch(() => null);

function asGit(text: string): Ignored {
  const rules = ignore().add(text).add(ALWAYS);
  return { out: (path) => rules.ignores(path), whole: (folder) => rules.ignores(folder) };
}
