import { contentsOf } from './contents.ts';
import { checkPrisma } from './prisma.ts';
import { type Dockerfile, feeding, type Finding } from './stages.ts';
import { isBelow, neededBy, type Package, type Workspace } from './workspace.ts';

export interface BuildInput {
  dockerfile: Dockerfile;
  /** Folder of the build context, relative to the project's. */
  context: string;
  /** The package of the service; null: it is none of Node's. */
  self: Package | null;
  workspace: Workspace;
  /** Folders of packages that `.dockerignore` keeps out of the context. */
  ignored: readonly string[];
  /** Whether a Prisma schema lies in the service or in a package that it needs. */
  prisma: boolean;
}

/** What would make a build fail, or an image that does not run, found before it is paid for. In the order of lines. */
export function checkDockerfile(input: BuildInput): Finding[] {
  const { dockerfile } = input;
  if (dockerfile.stages.length === 0) {
    return [
      {
        code: 'dockerfile-empty',
        severity: 'error',
        file: dockerfile.file,
        line: 1,
        what: 'there is no FROM in it',
        why: 'every image begins with one',
        mend: 'begin with FROM node:24-slim AS build, or the like',
      },
    ];
  }
  return [...checkStages(dockerfile), ...checkPackages(input), ...checkPrisma(input)].toSorted(
    (a, b) => a.line - b.line,
  );
}

export const blocksBuild = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === 'error');

/** One line for people: `Dockerfile:12: …`. */
export const findingInWords = ({ file, line, what, why, mend }: Finding): string =>
  `${file}:${line}: ${what}, ${why}: ${mend}`;

function checkStages(dockerfile: Dockerfile): Finding[] {
  const { file, stages } = dockerfile;
  const last = stages.length - 1;
  const line = stages[last]?.line ?? 1;
  if (stages.length === 1) {
    return [
      {
        code: 'dockerfile-one-stage',
        severity: 'error',
        file,
        line,
        what: 'there is one stage only',
        why: 'so the image carries its compilers, sources and development packages',
        mend: 'build in a stage of its own (FROM … AS build), and COPY --from=build what runs into a last one',
      },
    ];
  }
  if (feeding(dockerfile, last).length > 1) return [];
  return [
    {
      code: 'dockerfile-stages-apart',
      severity: 'error',
      file,
      line,
      what: 'the last stage takes nothing from the others',
      why: 'so what they build is thrown away',
      mend: `COPY --from=${stages[0]?.name ?? '0'} what runs into it`,
    },
  ];
}

/** Commands that put packages into a bundle or folder of their own, where no COPY shows them. */
const BUNDLERS =
  /\b(esbuild|webpack|rollup|rolldown|vite|tsup|tsdown|ncc|parcel|turbo\s+prune|nx\s+prune|bun\s+build|(pnpm|yarn|rush)\b[^&;|]*\bdeploy)\b/;

function checkPackages({ dockerfile, context, self, workspace, ignored }: BuildInput): Finding[] {
  if (self === null || workspace.packages.length === 0) return [];
  const { file, stages } = dockerfile;
  const { run, build } = neededBy(workspace, self);
  const last = stages.length - 1;
  const line = stages[last]?.line ?? 1;
  const problem = (
    code: Finding['code'],
    severity: Finding['severity'],
    what: string,
    why: string,
    mend: string,
    at = line,
  ) => ({ code, severity, file, line: at, what, why, mend }) satisfies Finding;

  const outside = build.filter(({ dir }) => !isBelow(dir, context));
  const hidden = build.filter(({ dir }) => isBelow(dir, context) && ignored.some((each) => isBelow(dir, each)));
  const sent = build.filter((each) => !outside.includes(each) && !hidden.includes(each));
  const findings: Finding[] = [
    ...outside.map(({ name, dir }) =>
      problem(
        'dockerfile-package-outside',
        'error',
        `${name} (${dir}) is outside of the build context ${context}`,
        `but ${self.name} needs it`,
        'set `context: .` for this service',
      ),
    ),
    ...hidden.map(({ name, dir }) =>
      problem(
        'dockerfile-package-ignored',
        'error',
        `${name} (${dir}) is kept out of the build context by .dockerignore`,
        `but ${self.name} needs it`,
        `write !${dir} at the end of .dockerignore`,
      ),
    ),
  ];

  const others = workspace.packages.filter((each) => !build.includes(each));
  for (const { line: at, name, dir } of copiedByName(dockerfile, others, context)) {
    findings.push(
      problem(
        'dockerfile-package-extra',
        'error',
        `${name} (${dir}) is copied`,
        `but ${self.name} does not need it, so it is not in the build context`,
        `take it out of this line, or add ${name} to the dependencies of ${self.name}`,
        at,
      ),
    );
  }

  const inEnd = contentsOf(dockerfile, sent, context)[last];
  const bundled = feeding(dockerfile, last).some((index) =>
    stages[index]?.instructions.some((each) => each.do === 'run' && BUNDLERS.test(each.command)),
  );
  for (const { name, dir } of run.filter((each) => sent.includes(each) && inEnd?.has(each) !== true)) {
    findings.push(
      problem(
        'dockerfile-package-missing',
        bundled ? 'warning' : 'error',
        `${name} (${dir}) is not in the last stage`,
        bundled ? `and ${self.name} needs it, unless it is in a bundle` : `but ${self.name} needs it when it runs`,
        `COPY --from=${stages[0]?.name ?? '0'} its folder into the last stage`,
      ),
    );
  }
  const tools = [...(inEnd?.keys() ?? [])].filter((each) => each !== self && !run.includes(each));
  for (const { name, dir } of tools) {
    findings.push(
      problem(
        'dockerfile-package-extra',
        'warning',
        `${name} (${dir}) is in the last stage`,
        `but ${self.name} only needs it to be built`,
        'copy folders one by one instead of all of them',
      ),
    );
  }
  return findings;
}

/** These are sent for all packages: an install with a lockfile wants to see them. */
const MANIFEST = /(^|\/)package(-lock)?\.json$/;

const plain = (path: string): string => path.replace(/^\.?\//, '').replace(/\/$/, '');

/** Packages that a COPY from the context names itself, rather than with all that is in a folder above. */
function copiedByName(
  { stages }: Dockerfile,
  packages: readonly Package[],
  context: string,
): { line: number; name: string; dir: string }[] {
  const copies = stages.flatMap(({ instructions }) =>
    instructions.flatMap((each) => (each.do === 'copy' && each.from === null ? [each] : [])),
  );
  return packages.flatMap(({ name, dir }) => {
    const path = context === '.' ? dir : dir.startsWith(`${context}/`) ? dir.slice(context.length + 1) : null;
    const copy = copies.find(({ sources }) =>
      sources.some((source) => path !== null && !MANIFEST.test(source) && isBelow(plain(source), path)),
    );
    return copy === undefined ? [] : [{ line: copy.line, name, dir }];
  });
}
