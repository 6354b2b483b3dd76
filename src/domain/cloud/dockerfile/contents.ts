import { type Dockerfile, filled, type Instruction, stageNamed } from './stages.ts';
import type { Package } from './workspace.ts';

/** Where packages lie in a stage: absolute folders; a package may be there more than once, or in part. */
export type Contents = ReadonlyMap<Package, ReadonlySet<string>>;

type Growing = Map<Package, Set<string>>;
type Copy = Extract<Instruction, { do: 'copy' }>;

/**
 * Which packages of the workspace are in the last stage, followed through every `COPY`. A `package.json` alone is no
 * package, nor are links to it in `node_modules`.
 *
 * @param packages of the build context
 * @param context folder of the context, relative to the project's
 */
export function contentsOf(dockerfile: Dockerfile, packages: readonly Package[], context: string): Contents[] {
  const stages: Contents[] = [];
  dockerfile.stages.forEach((stage, index) => {
    const base = stageNamed(dockerfile, filled(stage.from, dockerfile.args), index);
    const contents: Growing = new Map();
    for (const [each, places] of stages[base ?? -1] ?? []) contents.set(each, new Set(places));
    const values: Record<string, string> = {};
    let folder = base === null ? '/' : folderAtEnd(dockerfile, base);
    for (const instruction of stage.instructions) {
      if (instruction.do === 'set') {
        const value = instruction.value ?? dockerfile.args[instruction.name];
        if (value !== undefined) values[instruction.name] = filled(value, values);
      } else if (instruction.do === 'workdir') folder = resolve(folder, filled(instruction.path, values));
      else if (instruction.do === 'copy') {
        const copy = withValues(instruction, values);
        if (copy.from === null) fromContext(copy, folder, packages, context, contents);
        else {
          const other = stages[stageNamed(dockerfile, copy.from, index) ?? -1];
          if (other !== undefined) fromStage(copy, folder, other, contents);
        }
      }
    }
    stages.push(contents);
  });
  return stages;
}

const withValues = (copy: Copy, values: Record<string, string>): Copy => ({
  ...copy,
  from: copy.from === null ? null : filled(copy.from, values),
  sources: copy.sources.map((source) => filled(source, values)),
  target: filled(copy.target, values),
});

function folderAtEnd(dockerfile: Dockerfile, index: number): string {
  const stage = dockerfile.stages[index];
  if (stage === undefined) return '/';
  const base = stageNamed(dockerfile, filled(stage.from, dockerfile.args), index);
  return stage.instructions.reduce(
    (folder, each) => (each.do === 'workdir' ? resolve(folder, each.path) : folder),
    base === null ? '/' : folderAtEnd(dockerfile, base),
  );
}

function put(contents: Growing, each: Package, place: string): void {
  contents.set(each, (contents.get(each) ?? new Set()).add(place));
}

function fromContext(
  { sources, target }: Copy,
  folder: string,
  packages: readonly Package[],
  context: string,
  contents: Growing,
): void {
  const to = resolve(folder, target);
  for (const source of sources) {
    const wanted = segments(source);
    for (const each of packages) {
      const place = placed(wanted, segments(within(each.dir, context)), to);
      if (place !== null) put(contents, each, place);
    }
  }
}

function fromStage({ sources, target }: Copy, folder: string, other: Contents, contents: Growing): void {
  const to = resolve(folder, target);
  for (const source of sources) {
    const wanted = segments(resolve('/', source));
    for (const [each, places] of other) {
      for (const lying of places) {
        const place = placed(wanted, segments(lying), to);
        if (place !== null) put(contents, each, place);
      }
    }
  }
}

/** Files of a package that alone do not make it one. */
const NOT_ALONE =
  /^(package(-lock)?\.json|node_modules|tsconfig[^/]*\.json|pnpm-lock\.yaml|yarn\.lock|prisma|\.npmrc)$/;

/** Where a folder comes to lie when `source` is copied to `to`; null: nothing of it that counts is copied. */
function placed(source: readonly string[], folder: readonly string[], to: string): string | null {
  const same = Math.min(source.length, folder.length);
  for (let at = 0; at < same; at++) {
    if (!matches(source[at] ?? '', folder[at] ?? '')) return null;
  }
  // The contents of a folder are copied, not itself.
  if (source.length <= folder.length) return resolve(to, folder.slice(source.length).join('/'));
  const part = source.slice(folder.length);
  if (NOT_ALONE.test(part[0] ?? '')) return null;
  const tail = `/${part.join('/')}`;
  return to.endsWith(tail) ? to.slice(0, -tail.length) || '/' : to;
}

const matches = (pattern: string, name: string): boolean => {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(name);
};

/** `packages/a` as seen from a context. */
const within = (dir: string, context: string): string =>
  context === '.' ? dir : dir === context ? '.' : dir.startsWith(`${context}/`) ? dir.slice(context.length + 1) : '..';

const segments = (path: string): string[] => path.split('/').filter((each) => each !== '' && each !== '.');

/** `path` from `folder`; both may have `.` and `..` in them. */
function resolve(folder: string, path: string): string {
  const steps: string[] = [];
  for (const step of [...(path.startsWith('/') ? [] : segments(folder)), ...segments(path)]) {
    if (step === '..') steps.pop();
    else steps.push(step);
  }
  return `/${steps.join('/')}`;
}
