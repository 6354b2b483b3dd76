import { inFolder, pathOnHost, shellToHost, toHost } from '../build/image-paths.ts';
import type { Image } from '../build/image.ts';
import type { Container } from './shapes.ts';

/** What programs get from this machine. */
export interface HostTools {
  /** Folders that come first in PATH. */
  tools: string[];
  /** PATH of this machine. */
  hostPath: string;
  hostEnv: Readonly<Record<string, string>>;
}

export interface Launch {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
}

/**
 * How a container's program is started on this machine: `command` replaces the image's entry point (and what it would
 * have been given), `args` what it is given. `values` are the variables with their secrets resolved.
 */
export function launchOf(
  image: Image,
  container: Container,
  values: Readonly<Record<string, string>>,
  host: HostTools,
): Launch {
  const { folder, config } = image;
  const command = container.command?.length ? container.command : config.entrypoint;
  const replaced = (container.command?.length ?? 0) > 0;
  const args = container.args?.length ? container.args : replaced ? [] : (config.cmd ?? []);
  const argv = [...(command ?? []), ...args];
  const env = {
    LANG: host.hostEnv['LANG'] ?? 'C.UTF-8',
    HOME: inFolder(folder, '/root'),
    TMPDIR: host.hostEnv['TMPDIR'] ?? '/tmp',
    ...config.env,
    ...values,
    PATH: pathOnHost(folder, values['PATH'] ?? config.env['PATH'] ?? '', host.tools, host.hostPath),
  };
  return { argv: onHost(folder, argv), cwd: inFolder(folder, container.workingDir ?? config.workdir), env };
}

function onHost(folder: string, argv: readonly string[]): string[] {
  const shell = /(^|\/)(ba|da|a)?sh$/.test(argv[0] ?? '');
  return argv.map((word, index) =>
    shell && argv[index - 1] === '-c' ? shellToHost(folder, word) : toHost(folder, word),
  );
}
