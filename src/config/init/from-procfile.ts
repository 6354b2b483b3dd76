import { draftService, emptyFindings, escapeCommand } from './draft.ts';
import type { Findings } from './draft.ts';

/** `web: command` lines. `web` gets all traffic, `release` becomes the migration, the others are workers. */
export function fromProcfile(text: string): Findings {
  const findings = emptyFindings();
  let release: string | null = null;
  text.split(/\r?\n/).forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const match = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(line);
    const [, type = '', command = ''] = match ?? [];
    if (match === null) findings.notes.push(`Procfile line ${index + 1} is not \`name: command\``);
    else if (type === 'release') release = escapeCommand(command.trim());
    else {
      const routes = type === 'web' ? ['/'] : [];
      findings.services.push(draftService(type, 'Procfile', { run: escapeCommand(command.trim()), routes }));
    }
  });
  const first = findings.services.find(({ routes }) => routes.length > 0) ?? findings.services[0];
  if (release !== null && first !== undefined) first.migrate = release;
  else if (release !== null) findings.notes.push('Procfile has a `release` and nothing that it belongs to');
  return findings;
}
