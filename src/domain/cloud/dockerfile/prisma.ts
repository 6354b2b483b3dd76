import type { BuildInput } from './check.ts';
import { basesOf, type Dockerfile, feeding, type Finding } from './stages.ts';
import { neededBy } from './workspace.ts';

type Scripts = Readonly<Record<string, string>>;

/** The client of Prisma is made for the machine it is made on: what is built with it and what runs both need their own. */
export function checkPrisma({ dockerfile, self, workspace, prisma }: BuildInput): Finding[] {
  if (self === null) return [];
  const packages = [self, ...neededBy(workspace, self).run];
  const uses = packages.some(({ dependencies }) => dependencies.includes('@prisma/client'));
  if (!uses && !prisma) return [];
  const scripts: Scripts[] = [...packages, ...(workspace.root === null ? [] : [workspace.root])].map(
    (each) => each.scripts,
  );
  const { stages, file } = dockerfile;
  const last = stages.length - 1;
  const generating = stages.map((_, index) => generatesIn(dockerfile, index, scripts));
  const inEnd = basesOf(dockerfile, last).some((index) => generating[index]);
  const before = feeding(dockerfile, last).filter((index) => index !== last);
  const inBuild = before.some((index) => generating[index]);
  const finding = (severity: Finding['severity'], at: number, what: string, why: string): Finding => ({
    code: 'dockerfile-prisma',
    severity,
    file,
    line: stages[at]?.line ?? 1,
    what,
    why,
    mend: 'RUN npx prisma generate in it, after its packages are installed and the schema is copied',
  });
  const findings: Finding[] = [];
  if (!inBuild && before.length > 0) {
    const first = Math.min(...before);
    findings.push(
      finding(
        'error',
        first,
        'no stage before the last one generates the client of Prisma',
        `so ${self.name} cannot be built`,
      ),
    );
  }
  if (!inEnd) {
    const copied = inBuild && copiesClient(dockerfile, last);
    findings.push(
      copied
        ? finding(
            'warning',
            last,
            'the client of Prisma is copied into the last stage',
            'where it only runs if both stages have the same system',
          )
        : finding(
            'error',
            last,
            'the last stage does not generate the client of Prisma',
            `so ${self.name} fails when it first asks the database`,
          ),
    );
  }
  return findings;
}

const GENERATES = /\bprisma\s+generate\b/;
const INSTALLS =
  /\b(npm\s+(ci|i|install|rebuild)|pnpm\s+(i|install)|yarn(\s+install)?\s*($|-|&|;)|bun\s+(i|install))\b/;
/** Run by every install. */
const AFTER_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare'];

function generatesIn({ stages }: Dockerfile, index: number, scripts: readonly Scripts[]): boolean {
  const commands = stages[index]?.instructions.flatMap((each) => (each.do === 'run' ? [each.command] : [])) ?? [];
  return commands.some((command) => generates(command, scripts, new Set()));
}

function generates(command: string, scripts: readonly Scripts[], seen: ReadonlySet<string>): boolean {
  if (GENERATES.test(command)) return true;
  const installs = INSTALLS.test(command) && !command.includes('--ignore-scripts') ? AFTER_INSTALL : [];
  const called = [...command.matchAll(/\b(?:npm|pnpm|yarn|bun)\s+(?:-\S+\s+\S+\s+)*(?:run\s+)?([\w:.-]+)/g)].map(
    ([, name]) => name ?? '',
  );
  return [...installs, ...called].some((name) => {
    if (seen.has(name)) return false;
    const inside = new Set([...seen, name]);
    return scripts.some((each) => {
      const steps = [`pre${name}`, name, `post${name}`].map((step) => each[step]).filter((step) => step !== undefined);
      return steps.some((step) => generates(step, scripts, inside));
    });
  });
}

/** The client lies in `node_modules`, or where a generator's `output` says. */
const copiesClient = ({ stages }: Dockerfile, index: number): boolean =>
  stages[index]?.instructions.some(
    (each) =>
      each.do === 'copy' &&
      each.from !== null &&
      each.sources.some((source) => /node_modules\/?$|\.prisma|generated|^\/[^/]*\/?$/.test(source)),
  ) ?? false;
