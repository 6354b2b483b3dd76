import { parseEnvFile } from '../env-file.ts';
import { fixedPort } from './compose/command.ts';
import { looksSecret, useSecret } from './compose/model.ts';
import { draftService, emptyFindings, escapeCommand } from './draft.ts';
import type { Findings } from './draft.ts';

/**
 * `web: command` lines. `web` gets all traffic, `release` becomes the migration, the others are workers.
 * @param env The text of `.env`, whose variables what reads Procfiles gives to every program; null when there is none.
 */
export function fromProcfile(text: string, env: string | null = null): Findings {
  const findings = emptyFindings();
  const { notes, services } = findings;
  const seen = new Map<string, number>();
  let release: string | null = null;
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const number = index + 1;
    const match = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(line);
    const [, type = '', written = ''] = match ?? [];
    const command = escapeCommand(written.trim());
    const before = seen.get(type);
    if (match === null) notes.push(`Procfile line ${number} is not \`name: command\``);
    else if (type === 'release' && release !== null)
      notes.push(
        `Procfile line ${number}: there was a \`release\` already (line ${before ?? 0}); this one is left out`,
      );
    else if (type === 'release') release = command;
    else {
      if (before !== undefined)
        notes.push(`Procfile line ${number}: \`${type}\` is there twice (line ${before}); both are kept`);
      services.push(draftService(type, 'Procfile', { run: command, routes: type === 'web' ? ['/'] : [] }));
      const port = type === 'web' ? fixedPort(command) : null;
      if (port !== null) notes.push(`Procfile: \`web\` seems to listen on ${port}: let its command take $PORT`);
    }
    if (match !== null && before === undefined) seen.set(type, number);
  });
  const first = services.find(({ routes }) => routes.length > 0) ?? services[0];
  if (release !== null && first !== undefined) first.migrate = release;
  else if (release !== null) notes.push('Procfile has a `release` and nothing that it belongs to');
  const variables = env === null || services.length === 0 ? {} : variablesOf(env, findings);
  for (const service of services) service.env = { ...variables };
  return findings;
}

/** By name only: evenkeel reads `.env`, too, and secrets are set by hand. */
function variablesOf(text: string, findings: Findings): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of parseEnvFile(text, '.env').values) {
    if (name === 'PORT' || name.startsWith('EVENKEEL_'))
      findings.notes.push(`.env: ${name} is left out; evenkeel sets it for each instance`);
    else env[name] = looksSecret(name, value) ? useSecret(name, findings) : `\${${name}:-}`;
  }
  return env;
}
