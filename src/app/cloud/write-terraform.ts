import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Project } from '../../domain/project/project.ts';
import { writeFileAtomic } from '../../platform/atomic-file.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { openCloud } from './open-cloud.ts';
import { terraformOf } from './terraform.ts';

export interface TerraformRequest {
  projects: readonly Project[];
  emulate: boolean;
  signal: AbortSignal;
}

/** The environments as Terraform, still to be written. Throws `no-cloud` when none of them has one. */
export async function exportTerraform(
  { projects, emulate, signal }: TerraformRequest,
  world: { env: NodeJS.ProcessEnv; paths: EvenkeelPaths; cwd: string },
) {
  if (projects.length === 0)
    throw new EvenkeelError({
      code: 'no-cloud',
      what: 'evenkeel.yaml says nothing of a cloud',
      next: 'add `cloud: { project: ID, region: europe-west1 }`',
    });
  const parts = await Promise.all(
    projects.map(async (project) => (await openCloud({ project, emulate, signal }, world)).terraform(signal)),
  );
  const { files, notes } = terraformOf(parts);
  return {
    notes,
    /** `agree` is asked before anything that differs is replaced, and throws to leave it. */
    async write(
      folder: string,
      agree: (paths: string[]) => Promise<void>,
    ): Promise<{ written: string[]; replaced: string[] }> {
      const root = resolve(world.cwd, folder);
      const former = await Promise.all(files.map(({ path }) => readFile(join(root, path), 'utf8').catch(() => null)));
      const replaced = files.filter(({ content }, index) => former[index] !== null && former[index] !== content);
      if (replaced.length > 0) await agree(replaced.map(({ path }) => path));
      for (const { path, content } of files) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFileAtomic(join(root, path), content, { mode: 0o644 });
      }
      return { written: files.map(({ path }) => path), replaced: replaced.map(({ path }) => path) };
    },
  };
}
