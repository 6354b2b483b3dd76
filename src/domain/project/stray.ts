import { pagesOf } from './entry.ts';
import type { Project } from './project.ts';

const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/**
 * What of a definition leads out of where it belongs, in words; null: nothing. Whoever writes `evenkeel.yaml` is told
 * earlier; whoever speaks to the API can say what they like, and names and folders become paths.
 */
export function strayIn({ name, environment, services, cloud }: Project): string | null {
  for (const each of [name, environment.name, ...services.map((service) => service.name)])
    if (!NAME.test(each)) return `${JSON.stringify(each)} is no name of lower-case letters, digits and dashes`;
  for (const service of services) {
    const folders = [
      service.dir,
      ...(service.static === null ? [] : [service.static.dir]),
      ...service.data,
      ...(service.migrations?.folders ?? []),
    ];
    const stray = folders.find((folder) => !isInner(folder));
    if (stray !== undefined) return `${JSON.stringify(stray)} of ${service.name} is no folder inside of the project`;
  }
  for (const { service, dockerfile, context } of cloud?.services ?? []) {
    const stray = [dockerfile, context].find((path) => !isInner(path));
    if (stray !== undefined) return `${JSON.stringify(stray)} of ${service} does not lie inside of the project`;
  }
  return null;
}

/** Files that a definition names by their whole path and that are not below its root; pages and certificates. */
export function filesBeyond({ root, environment }: Project): string[] {
  const { tls, entry } = environment;
  const named = [
    ...(tls?.certificates.flatMap(({ cert, key }) => [cert, key]) ?? []),
    ...(entry === undefined ? [] : pagesOf(entry)),
  ];
  return named.filter((file) => !file.startsWith(`${root}/`) || !isInner(file.slice(root.length + 1)));
}

const isInner = (folder: string): boolean =>
  !folder.startsWith('/') && !/[\0\\]/.test(folder) && !folder.split('/').includes('..');
