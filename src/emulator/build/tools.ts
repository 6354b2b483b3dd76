import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Programs that would change this machine, not an image. In their place stand ones that say so and do nothing. */
const OF_A_SYSTEM =
  'apt apt-get apt-key dpkg rpm yum dnf microdnf tdnf apk adduser addgroup useradd groupadd usermod chown chgrp setcap ldconfig update-ca-certificates corepack'.split(
    ' ',
  );

/** Makes the folder with the stand-ins; safe to repeat. Answers what comes first in PATH. */
export async function standIns(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const script = (name: string) =>
    `#!/bin/sh\necho "emulator: '${name}' would change this machine, not an image: left out" >&2\nexit 0\n`;
  await Promise.all(OF_A_SYSTEM.map((name) => writeFile(join(folder, name), script(name), { mode: 0o755 })));
  return [folder, dirname(process.execPath)];
}

/** What a program of an image may know of this machine: where its tools are, and how to reach the net. */
export function hostEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const wanted =
    /^(HOME|USER|LANG|LC_\w+|TZ|TMPDIR|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|(https?|no|all)_proxy|npm_config_(registry|cache|cafile|userconfig))$/i;
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && wanted.test(name)) found[name] = value;
  return found;
}
