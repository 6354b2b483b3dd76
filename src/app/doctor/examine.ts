import { ok, type Finding } from '../../domain/doctor/finding.ts';
import { findingsOf } from '../../domain/doctor/findings.ts';
import type { Project } from '../../domain/project/project.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { emulatorPlace, runningEmulator } from '../cloud/emulator-place.ts';
import { readHome } from './read-home.ts';
import { readHost } from './read-host.ts';
import { readProjectFacts } from './read-project.ts';
import { readServer } from './read-server.ts';
import { readSignIn } from './read-sign-in.ts';
import { readWork } from './read-work.ts';

export interface Examination {
  paths: EvenkeelPaths;
  /** Of the command that asks. */
  version: string;
  /** Null outside of a project, or when its file cannot be used. */
  project: Project | null;
}

/** Looks at this machine, the home and the server that runs from it. Changes nothing. */
export async function examine({ paths, version, project }: Examination): Promise<Finding[]> {
  const [host, home, server] = await Promise.all([readHost(), readHome(paths), readServer(paths, version)]);
  const found = findingsOf({
    now: Date.now(),
    host,
    home,
    server,
    work: readWork(paths),
    signIn: await readSignIn(paths),
    project: project === null ? null : await readProjectFacts(project, paths),
  });
  const emulator = await runningEmulator(emulatorPlace(paths));
  if (emulator === null) return found;
  const { url, process } = emulator;
  const what = `Google Cloud is emulated on ${url} by process ${process.pid}; \`evenkeel cloud emulator stop\` ends it`;
  return [...found, ok('emulator', what)];
}
