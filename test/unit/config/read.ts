import type { Project, ServiceConfig } from '../../../src/domain/project/project.ts';
import { readProject } from '../../../src/config/load-project.ts';
import type { LoadResult } from '../../../src/config/load-project.ts';
import type { Problem } from '../../../src/config/problem.ts';

/** A folder that does not exist: nothing but the text and `variables` is read. */
const NOWHERE = '/nonexistent/project';

export function read(
  text: string,
  environment = 'development',
  variables: Record<string, string> = {},
): Promise<LoadResult> {
  return readProject(text, NOWHERE, { environment, processEnv: variables });
}

export async function projectOf(...args: Parameters<typeof read>): Promise<Project> {
  const result = await read(...args);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.project;
}

export async function problemsIn(...args: Parameters<typeof read>): Promise<Problem[]> {
  const result = await read(...args);
  return result.ok ? result.warnings : result.problems;
}

/** The first service of a project. */
export async function serviceOf(...args: Parameters<typeof read>): Promise<ServiceConfig> {
  const [service] = (await projectOf(...args)).services;
  if (service === undefined) throw new Error('no service');
  return service;
}
