import { join, posix } from 'node:path';

/** Where a path inside an image lies on this machine. It cannot lead out of the image's folder. */
export const inFolder = (folder: string, path: string): string => join(folder, posix.normalize(`/${path}`));

/** What commands take from this machine, since an image here is a folder of files and no system. */
const OF_THE_HOST = /^\/(bin|sbin|lib|lib32|lib64|dev|proc|sys|usr\/(bin|sbin|lib|lib64|libexec))(\/|$)/;
const TOOL_OF_THE_HOST = /^\/usr\/local\/bin\/(node|npm|npx|yarn|pnpm|corepack)$/;

/** An absolute path of the image as a program on this machine has to be told it; others stay. */
export function toHost(folder: string, path: string): string {
  if (!path.startsWith('/') || OF_THE_HOST.test(path) || path.startsWith(`${folder}/`) || path === folder) return path;
  const tool = TOOL_OF_THE_HOST.exec(path)?.[1];
  return tool ?? inFolder(folder, path);
}

/** Absolute paths within a line for the shell. Text decides, for nothing else can without a container. */
export function shellToHost(folder: string, text: string): string {
  return text.replace(
    /(^|[\s"'=(<>|&;,])(\/(?:[\w.@+-][^\s"'`;|&<>(),]*)?)(?=$|[\s"'`;|&<>(),])/g,
    (_, before: string, path: string) => before + toHost(folder, path),
  );
}

/** PATH for a program of an image: what the image adds to the usual one, then this machine's. */
export function pathOnHost(folder: string, imagePath: string, first: string[], hostPath: string): string {
  const own = imagePath
    .split(':')
    .filter((part) => part.startsWith('/') && !OF_THE_HOST.test(part))
    .map((part) => inFolder(folder, part));
  return [...first, ...own, hostPath].filter((part) => part !== '').join(':');
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
