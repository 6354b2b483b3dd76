import { formatBytes, formatDuration } from '../../lib/format.ts';
import type { HomeFacts, HostFacts, ServerFacts } from './facts.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const MIB = 1024 * 1024;
/** Keeper, controller and edge need about 220 MiB, and a rollout runs everything twice. */
const LITTLE_MEMORY = 256 * MIB;
/** The oldest kernel on which all of it is known to work: that of Debian 10. */
const KERNEL = [4, 19] as const;

export function hostFindings(host: HostFacts): Finding[] {
  return [system(host), node(host), memory(host), cgroups(host), ...users(host), shell(host), git(host)];
}

function system({ platform, kernel, cores }: HostFacts): Finding {
  if (platform !== 'linux')
    return problem(
      'host',
      `this is ${platform}, and evenkeel runs on Linux only`,
      'use a Linux machine, or a virtual one',
    );
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const old = major < KERNEL[0] || (major === KERNEL[0] && minor < KERNEL[1]);
  if (old)
    return warning(
      'host',
      `Linux ${kernel} is older than ${KERNEL.join('.')}, on which evenkeel is known to work`,
      'update the system',
    );
  return ok('host', `Linux ${kernel}, ${cores} ${cores === 1 ? 'core' : 'cores'}`);
}

function node({ node: version, nodeWanted }: HostFacts): Finding {
  const major = Number.parseInt(version.replace(/^v/, ''), 10);
  if (major >= nodeWanted) return ok('node', `Node ${version}`);
  return problem(
    'node',
    `Node ${version} is older than ${nodeWanted}`,
    'install evenkeel with its optional dependencies: they bring the Node it runs on',
  );
}

function memory({ memory: found }: HostFacts): Finding {
  if (found === null)
    return warning('memory', 'the kernel does not say how much memory there is', 'look at /proc/meminfo');
  const said = `${formatBytes(found.available)} of ${formatBytes(found.total)} memory are free`;
  if (found.available >= LITTLE_MEMORY) return ok('memory', said);
  return warning(
    'memory',
    `only ${said}: a rollout runs two releases at once`,
    'stop what is not needed, or add memory',
  );
}

function cgroups({ cgroups: found }: HostFacts): Finding {
  if (found.memory && found.cpu) return ok('cgroups', 'limits of memory and cpu can be enforced');
  const missing = [found.memory ? null : 'memory', found.cpu ? null : 'cpu'].filter((each) => each !== null);
  return warning(
    'cgroups',
    `limits of ${missing.join(' and ')} cannot be enforced${found.why === null ? '' : `: ${found.why}`}`,
    'run it as a service, which may make control groups: sudo evenkeel server install --write',
  );
}

/** What holds between the services of a server, and what does not. */
function users({ users: found }: HostFacts): Finding[] {
  if (found === undefined) return [];
  if (found.why !== null)
    return [
      warning(
        'isolation',
        `programs cannot be started as other users: ${found.why}`,
        'install util-linux, and let evenkeel make mount namespaces; until then services with `user` do not start',
      ),
    ];
  const open = 'the ports of services on 127.0.0.1 are open to every program of this machine';
  if (!found.root)
    return [ok('isolation', `all services run as one user, and can read each other's files and memory; ${open}`)];
  const others = 'services with `user` run as that user, all others as root';
  if (found.whyNoPorts === null)
    return [
      ok('isolation', `${others}; a service with \`user\` reaches the ports only of services that its env names`),
    ];
  return [
    warning(
      'isolation',
      `${others}; ${open}: ${found.whyNoPorts}`,
      'install nftables, if services with `user` are to be kept from the ports of others',
    ),
  ];
}

function shell({ shell: found }: HostFacts): Finding {
  if (found) return ok('shell', 'commands can be run');
  return problem('shell', '/bin/sh cannot be run, and every command of a service is given to it', 'install a shell');
}

function git({ git: found }: HostFacts): Finding {
  if (found !== null) return ok('git', found);
  return warning('git', 'git is not here: releases name no commit, and ignored files are not left out', 'install git');
}

/** How far a file may lie in the future: writing and looking are not the same moment. */
const SKEW_MS = 60_000;
const DAY_MS = 86_400_000;
/** 2020: a machine without a battery begins long before. */
const SANE = 1_577_836_800_000;

/** Clocks that are wrong make certificates, schedules and deadlines wrong. */
export function clockFindings(now: number, host: HostFacts, home: HomeFacts, server: ServerFacts): Finding[] {
  const next = 'set the clock, and keep it right by NTP (timedatectl set-ntp true)';
  if (now < SANE || (host.bootedAt !== null && host.bootedAt < SANE))
    return [problem('clock', 'the clock of this machine stands years in the past', next)];
  if (host.bootedAt !== null && host.bootedAt > now + SKEW_MS)
    return [problem('clock', `the machine was booted ${formatDuration(host.bootedAt - now)} from now`, next)];
  if (host.installedAt !== null && host.installedAt > now + DAY_MS)
    return [warning('clock', `evenkeel was installed ${formatDuration(host.installedAt - now)} from now`, next)];
  const later = [
    home.newest,
    server.processes === null ? null : { path: 'the keeper', at: server.processes.keeper.startedAt },
  ].find((each) => each !== null && each.at > now + SKEW_MS);
  if (later !== null && later !== undefined)
    return [
      warning(
        'clock',
        `${later.path} was written ${formatDuration(later.at - now)} from now: the clock was set back`,
        next,
      ),
    ];
  return [ok('clock', 'the clock agrees with the boot of the machine and with its files')];
}
