import { delimiter, join } from 'node:path';
import type { PortFact, ProjectFacts } from '../../domain/doctor/facts.ts';
import type { Project } from '../../domain/project/project.ts';
import { isInRepository } from '../../drivers/build/git.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import { bindPort, isFailure } from '../../platform/listen-handle.ts';
import { readKeeperInfo } from '../../platform/keeper-info.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { isAlive } from '../../platform/process/identity.ts';
import { readJson } from '../../platform/read-json.ts';
import { readCertificates } from './read-certificates.ts';
import { isExecutable } from './read-host.ts';

/** What of a project depends on this machine. Its port is opened for a moment, without listening. */
export async function readProjectFacts(project: Project, paths: EvenkeelPaths): Promise<ProjectFacts> {
  const { environment, root, name } = project;
  const held = await heldPorts(paths);
  return {
    name,
    environment: environment.name,
    root,
    ports: portsOf(environment).map((port) => portFact(port, held)),
    tls: await readCertificates(project, paths),
    repository: await isInRepository(root),
    missing: missingPrograms(project),
  };
}

/** In plain, and over TLS. */
const portsOf = ({ port, bind, tls }: Project['environment']): PortBinding[] => [
  { port, bind },
  ...(tls === undefined ? [] : [{ port: tls.port, bind }]),
];

async function heldPorts(paths: EvenkeelPaths): Promise<Set<number>> {
  const info = await readKeeperInfo(paths).catch(() => null);
  const lives = info !== null && [info.keeper, info.edge].some((each) => each !== null && isAlive(each));
  const ports = lives ? await readJson(paths.keeperPorts).catch(() => []) : [];
  return new Set(Array.isArray(ports) ? ports.map((each: { port?: unknown }) => Number(each.port)) : []);
}

function portFact({ port, bind }: PortBinding, held: ReadonlySet<number>): PortFact {
  const bound = bindPort({ port, bind });
  if (!isFailure(bound)) {
    bound.close();
    return { port, bind, state: 'free', code: null };
  }
  const { code } = bound;
  if (code !== 'EADDRINUSE') return { port, bind, state: 'refused', code };
  return { port, bind, state: held.has(port) ? 'ours' : 'taken', code };
}

/** Words that the shell knows without a file. */
const BUILT_IN = new Set(
  ': . [ cd command echo eval exit export for if printf pwd read set shift source test time trap true false ulimit umask unset until wait while'.split(
    ' ',
  ),
);

function missingPrograms({ services }: Project): ProjectFacts['missing'] {
  const missing = new Map<string, Set<string>>();
  for (const { name, build, migrate, run, check } of services) {
    // What the first command installs cannot be known, so of a service that is built only that is looked at.
    for (const command of build === null ? [migrate, run, check] : [build]) {
      const program = command === null ? null : firstWord(command);
      if (program === null || isThere(program)) continue;
      missing.set(program, (missing.get(program) ?? new Set<string>()).add(name));
    }
  }
  return [...missing].map(([program, names]) => ({ program, services: [...names] }));
}

/** The program that a command starts first; null when that is no plain word, or a word of the shell. */
function firstWord(command: string): string | null {
  const words = command.trim().split(/\s+/);
  while (/^\w+=/.test(words[0] ?? '') || words[0] === 'exec' || words[0] === 'env') words.shift();
  const [word = ''] = words;
  return /^[A-Za-z0-9][\w.+-]*$/.test(word) && !BUILT_IN.has(word) ? word : null;
}

/** In the PATH that instances and jobs are given. */
function isThere(program: string): boolean {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return path.some((folder) => isExecutable(join(folder, program)));
}
