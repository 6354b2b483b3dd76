import type { ApiClient } from '../api/contract/client.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import type { Project } from './project.ts';

/** The file of addresses, and the variables that changed in it. */
export interface WrittenUrls {
  path: string;
  changed: string[];
}

/** What is done on this side once a deploy has succeeded. */
export type Finish = () => Promise<WrittenUrls | null>;

/**
 * Writes where services answer to the file that the environment names for it (`cloud.urlFile`), on the machine of whoever
 * deployed; null where it names none. The deploy has succeeded: what fails here is said, and takes nothing back.
 */
export async function writeUrls(
  { deps, out }: Context,
  client: Pick<ApiClient, 'getStatus'>,
  { name, environment, cloud }: Pick<Project, 'name' | 'environment' | 'cloud'>,
): Promise<WrittenUrls | null> {
  const path = cloud?.urlFile ?? null;
  if (cloud === undefined || path === null) return null;
  try {
    const { environments } = await client.getStatus({ project: name, environment: environment.name });
    const urls = new Map(
      environments.flatMap((each) => each.services.map(({ service, urls: [first] }) => [service, first])),
    );
    const known = cloud.services.flatMap(({ service, urlVariable }): [string, string][] => {
      const url = urls.get(service);
      return url === undefined ? [] : [[urlVariable, url]];
    });
    return known.length === 0 ? null : { path, changed: await deps.writeUrls(path, Object.fromEntries(known)) };
  } catch (error) {
    out.remark(`The addresses were not written to ${path}: ${error instanceof Error ? error.message : String(error)}.`);
    return null;
  }
}

export function showWritten({ path, changed }: WrittenUrls, out: Output): void {
  out.line(
    changed.length === 0 ? `${path} has these addresses already.` : `Written to ${path}: ${changed.join(', ')}.`,
  );
}
