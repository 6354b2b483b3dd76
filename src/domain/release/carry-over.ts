import type { ServiceConfig } from '../project/project.ts';
import { configChanges } from './config-changes.ts';

/** Why files that were built for one environment may not be what another one should run. */
export interface Unlike {
  /** `definition`: the other environment knows another program. `build`: a build has read other values. */
  kind: 'definition' | 'build';
  /** By their names alone. */
  keys: string[];
}

/** What says which program a service is; environments of one project share it, unless one knows an older file. */
const PROGRAM = new Set<string>(['kind', 'dir', 'build', 'run', 'migrate', 'contract', 'check', 'data']);

const isProgram = (key: string): boolean => PROGRAM.has(key.split('.')[0] ?? '') || key.startsWith('static.');

/**
 * Whether the files of a release can serve in another environment, with the configuration that it has there. A build may
 * write what it reads from its environment into its files: those of one environment then hold its values.
 *
 * @param built the configuration that the files were built with
 * @param there that of the other environment
 */
export function unlike(built: ServiceConfig, there: ServiceConfig): Unlike | null {
  const { added, removed, changed } = configChanges(built, there);
  const keys = [...added, ...removed, ...changed].toSorted();
  const program = keys.filter(isProgram);
  if (program.length > 0) return { kind: 'definition', keys: program };
  if (built.build === null) return null;
  const read = [...new Set([...keys.filter((key) => key.startsWith('env.')), ...ownOfEach(built)])].toSorted();
  return read.length > 0 ? { kind: 'build', keys: read } : null;
}

/** Variables that are called the same everywhere and mean another thing in each environment: secrets, addresses, databases. */
const ownOfEach = ({ env }: ServiceConfig): string[] =>
  Object.entries(env).flatMap(([name, parts]) =>
    parts.some((part) => typeof part === 'object') ? [`env.${name}`] : [],
  );
