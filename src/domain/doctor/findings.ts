import { certificateFindings } from './certificates.ts';
import type { Facts, PortFact, ProjectFacts } from './facts.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import { homeFindings } from './home.ts';
import { clockFindings, hostFindings } from './host.ts';
import { serverFindings } from './server.ts';
import { signInFindings } from './sign-in.ts';
import { workFindings } from './work.ts';

/** What the facts mean, in the order in which a person would look. */
export function findingsOf({ now, host, home, server, work, signIn, project }: Facts): Finding[] {
  return [
    ...hostFindings(host),
    ...clockFindings(now, host, home, server),
    ...homeFindings(home),
    ...serverFindings(server, `${home.path}/logs`),
    ...workFindings(now, work, server),
    ...signInFindings(signIn),
    ...(project === null ? [] : projectFindings(project, now)),
  ];
}

function projectFindings(facts: ProjectFacts, now: number): Finding[] {
  const { name, environment, root, ports, repository, missing, tls } = facts;
  const found = ports.map((port) => portFinding(port, `${name} ${environment}`));
  const whose = environment === 'development' ? '' : ` --env ${environment}`;
  found.push(...certificateFindings(tls, whose, now));
  for (const { program, services } of missing)
    found.push(
      warning(
        'programs',
        `${program} is not in PATH, and commands of ${services.join(', ')} begin with it`,
        `install ${program}, or let \`build\` bring it`,
      ),
    );
  if (missing.length === 0) found.push(ok('programs', `what the commands of ${name} begin with is there`));
  found.push(
    repository
      ? ok('repository', `${root} is in a git repository`)
      : warning(
          'repository',
          `${root} is in no git repository: releases name no commit`,
          'git init, and commit what you ship',
        ),
  );
  return found;
}

function portFinding({ port, bind, state, code }: PortFact, whose: string): Finding {
  const at = `port ${port} of ${whose}`;
  if (state === 'free') return ok('ports', `${at} is free`);
  if (state === 'ours') return ok('ports', `${at} is held by the keeper`);
  if (state === 'taken')
    return problem(
      'ports',
      `${at} is used by another program`,
      `find it (ss -ltnp 'sport = :${port}') and stop it, or give the environment another \`port\``,
    );
  const next =
    code === 'EACCES'
      ? 'take a port from 1024 on, or allow lower ones: sysctl net.ipv4.ip_unprivileged_port_start=80'
      : 'give the environment another `bind` or `port`';
  return problem('ports', `${at} cannot be opened on ${bind} (${code ?? 'unknown'})`, next);
}
