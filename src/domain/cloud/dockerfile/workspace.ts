/** One package of a workspace (or the only one there is). Folders are relative to the project's, without `./`; `.` is that. */
export interface Package {
  name: string;
  dir: string;
  /** Names, of the workspace or not. */
  dependencies: readonly string[];
  devDependencies: readonly string[];
  scripts: Readonly<Record<string, string>>;
}

export interface Workspace {
  /** The package in the root folder, if there is one. */
  root: Package | null;
  packages: readonly Package[];
}

export interface Needed {
  /** What the service runs with, itself not among them. */
  run: Package[];
  /** What it is built with, `run` and itself among them. */
  build: Package[];
}

/** The packages of the workspace that one of them needs, and those that they need, and so on. */
export function neededBy(workspace: Workspace, self: Package): Needed {
  const run = closure(workspace, [self], ({ dependencies }) => dependencies);
  // Tools of a package count where that is built, and every one that is needed is built.
  const build = closure(workspace, [self], ({ dependencies, devDependencies }) => [
    ...dependencies,
    ...devDependencies,
  ]);
  return { run: run.filter((each) => each !== self), build };
}

function closure(
  { packages }: Workspace,
  from: readonly Package[],
  needs: (of: Package) => readonly string[],
): Package[] {
  const found = new Set(from);
  // A set that is added to while it is walked is walked to the end.
  for (const each of found) {
    for (const name of needs(each)) {
      const other = packages.find((one) => one.name === name);
      if (other !== undefined) found.add(other);
    }
  }
  return packages.filter((each) => found.has(each));
}

/** The package in a folder, such as that of a service. */
export const packageIn = ({ packages, root }: Workspace, dir: string): Package | null =>
  packages.find((each) => each.dir === dir) ?? (root?.dir === dir ? root : null);

/**
 * Folders of which a build of this service gets nothing but their `package.json`: packages that have no part in it. Those
 * files it gets, since an install with a lockfile wants to see every package of the workspace.
 */
export function leftOut(workspace: Workspace, self: Package): string[] {
  const { build } = neededBy(workspace, self);
  const kept = build.map(({ dir }) => dir);
  return workspace.packages
    .filter((each) => !build.includes(each))
    .map(({ dir }) => dir)
    .filter((dir) => !kept.some((other) => isBelow(other, dir)));
}

/** `packages/a/b` is below `packages/a`, which is below itself and `.`. */
export const isBelow = (path: string, folder: string): boolean =>
  folder === '.' || path === folder || path.startsWith(`${folder}/`);
